import Foundation
import Grid
import GridCore
import Testing

@testable internal import GridCommands

@Suite struct KindsFileTests {
  @Test func `every key is taken`() throws {
    let file = try KindsFile(
      path: "k",
      text: """
        kinds:
          resize:
            command: [./resize.py, --quality, 90, 1.10, yes, 0x1F]
            framing: json
            one-way: true
            handler-timeout: 1m30s
            restart: never
            environment: {TMPDIR: /var/tmp, DEPTH: 08}
            working-directory: /srv
            user: nobody
            rlimits: {nofile: 64:128, memory: 512MiB, core: unlimited}
            cgroup: /sys/fs/cgroup/work
            singleton: true
          plain: {command: [cat]}
          leader: {command: [cat]}
        """)
    let resize = try #require(file.programs["resize"])
    // Words are words, whatever YAML would make of them.
    #expect(resize.command == ["./resize.py", "--quality", "90", "1.10", "yes", "0x1F"])
    #expect(resize.framing == .json && resize.oneWay && resize.handlerTimeout == .seconds(90))
    #expect(resize.restart.maximumRestarts == 0 && resize.workingDirectory == "/srv")
    #expect(resize.environment == ["TMPDIR": "/var/tmp", "DEPTH": "08"])
    #expect(
      resize.confinement
        == ProgramConfinement(
          user: "nobody",
          limits: [
            .openFiles: try .init(soft: 64, hard: 128), .memory: try .init(soft: 512 << 20, hard: 512 << 20),
            .coreSize: try .init(soft: nil, hard: nil),
          ], cgroup: "/sys/fs/cgroup/work"))
    var plain = ExecSpecification(command: ["cat"])
    plain.handlerTimeout = .seconds(60)
    #expect(file.programs["plain"] == plain)
    #expect(file.singletons == ["resize", "leader"], "leader is one unless it says otherwise")
    let text = "kinds: {leader: {command: [cat], singleton: false}}"
    #expect(try KindsFile(path: "k", text: text).singletons == [])
  }

  @Test(arguments: [
    ("kinds: {exec: {command: [cat]}}", "k, line 1: kinds.exec: kind exec is built in and cannot be replaced"),
    ("kinds:\n  a: {command: [cat]}\n  sink: {command: [cat]}", "k, line 3: kinds.sink: kind sink is built in"),
    ("kinds:\n  a:\n    command: [cat]\n    comand: [cat]", "k, line 4: unknown key kinds.a.comand"),
    ("kinds:\n  a:\n    framing: lines\n", "k, line 3: kinds.a: command is missing"),
    ("kinds:\n  a:\n    command: cat\n", "k, line 3: kinds.a.command: it must be a list"),
    ("kinds:\n  a:\n    command:\n    - cat\n    - [x]\n", "k, line 5: kinds.a.command[1]: it must be a text"),
    ("kinds:\n  a:\n    command: []\n", "k, line 3: kinds.a.command: it is empty"),
    ("kinds:\n  a:\n    command: [cat]\n    framing: xml\n", "k, line 4: kinds.a.framing: unknown framing"),
    ("kinds:\n  a:\n    command: [cat]\n    one-way: maybe\n", "k, line 4: kinds.a.one-way: it must be true or false"),
    ("kinds:\n  a:\n    command: [cat]\n    singleton: 1x\n", "k, line 4: kinds.a.singleton: it must be true or"),
    ("kinds:\n  a:\n    command: [cat]\n    handler-timeout: soon\n", "k, line 4: kinds.a.handler-timeout:"),
    ("kinds:\n  a:\n    command: [cat]\n    restart: often\n", "k, line 4: kinds.a.restart: invalid restart policy"),
    ("kinds:\n  a:\n    command: [cat]\n    rlimits: {files: 3}\n", "k, line 4: kinds.a.rlimits.files: unknown reso"),
    ("kinds:\n  a:\n    command: [cat]\n    cgroup: here\n", "kinds.a: the control group \"here\" is no absolute path"),
    ("kinds:\n  a:\n    command: [cat]\n    environment: [A]\n", "k, line 4: kinds.a.environment: it must be KEY: VAL"),
    ("kinds:\n  a:\n    command: [cat]\n  a:\n    command: [dog]\n", "stands there twice"),
    ("kinds:\n  a b:\n    command: [cat]\n", "k, line 2: kinds.a b: invalid kind name"),
    ("kind:\n  a:\n    command: [cat]\n", "k, line 1: unknown key kind"), ("", "k: the file is empty"),
    ("- a\n", "k, line 1: it must be KEY: VALUE pairs"), ("kinds:\n  a: [cat\n", "k, line 3: "),
    ("kinds:\n\ta: 1\n", "k, line 2: "), ("{}", "k, line 1: kinds is missing"),
  ])
  func `what is wrong is said with file, line and key`(_ text: String, _ told: String) {
    let error = #expect(throws: GridError.self) { try KindsFile(path: "k", text: text) }
    #expect(error?.code == .configuration)
    #expect(error?.message.contains(told) == true, "\(error?.message ?? "") is not \(told)")
    #expect(error?.hint != nil)
  }

  @Test func `a node refuses such a file, and a program in the place of a kind of its own`() async throws {
    try await withSandbox { sandbox in
      let result = try await sandbox.run(
        "printf 'kinds:\\n  exec: {command: [cat]}\\n' >k; gridctl node start --kinds-file k; echo $?")
      #expect(result.output == "78\n", "\(result)")
      #expect(result.errors.hasPrefix("error: k, line 2: kinds.exec: kind exec is built in and cannot be replaced\n"))
      var configuration = NodeConfiguration(
        stateDirectory: sandbox.directory + "/state", runtimeDirectory: sandbox.directory + "/run")
      for name in ["exec", "counter", "mine"] {
        configuration.programs = [name: ExecSpecification(command: ["cat"])]
        let node = GridNode(configuration) { kinds in kinds.register("mine") { _ in Silent() } }
        let error = await #expect(throws: GridError.self) { try await node.run() }
        #expect(error?.code == .configuration && error?.message.contains("kind \(name) is there already") == true)
      }
    }
  }

  private struct Silent: ImmediateActor {
    mutating func receive(_ message: Message, _ context: ActorContext) {}
  }
}
