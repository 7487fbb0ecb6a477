internal import Foundation
internal import Grid
internal import Testing

@Suite("Programs as actors", .timeLimit(.minutes(5)))
struct ProgramTests {
  private func spawn(_ node: GridNode, _ name: String, _ command: ExecSpecification) async throws {
    try await node.spawn(SpawnRequest(kind: "exec", name: name, command: command))
  }

  @Test("lines: one in, one back, in order, from both nodes")
  func lines() async throws {
    try await withCluster("a", "b") { cluster in
      try await spawn(cluster["b"], "upper", ExecSpecification(command: ["/usr/bin/tr", "a-z", "A-Z"]))
      try await spawn(cluster["b"], "sed", ExecSpecification(command: ["sed", "-u", "s/^/<</; s/$/>>/"]))
      for name in ["a", "b"] {
        for number in 0..<20 {
          #expect(try await cluster[name].ask("sed", Message("\(number) é")).text == "<<\(number) é>>")
        }
        #expect(try await code { _ = try await cluster[name].ask("sed", Message("two\nlines")) } == .undecodable)
        #expect(try await cluster[name].ask("sed", Message("")).text == "<<>>")
      }
      // A program that keeps its output to itself answers nobody: the ask ends at its deadline.
      let timeout = Duration.milliseconds(200)
      #expect(try await code { _ = try await cluster["a"].ask("upper", Message("x"), timeout: timeout) } != nil)
    }
  }

  @Test("what was spawned and stopped is given back", arguments: [ExecSpecification.Framing.lines, .json])
  func nothingStays(framing: ExecSpecification.Framing) async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      func cycle(_ count: Int) async throws {
        for _ in 0..<count {
          try await spawn(node, "brief", ExecSpecification(command: ["/bin/cat"], framing: framing))
          try await node.stop("brief")
        }
      }
      // Until queues, rings and the allocator have their size.
      try await cycle(300)
      let before = try residentBytes()
      try await cycle(700)
      let each = (try residentBytes() - before) / 700
      #expect(each < 3000, "\(each) bytes of each stay")
    }
  }

  private func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return try #require(Int(fields[1])) * 4096
  }

  @Test("JSON: replies, errors, tells, asks and logs of a program")
  func json() async throws {
    let script = """
      while read -r line; do
        number=$(printf '%s' "$line" | sed 's/.*"message":\\([0-9]*\\).*/\\1/')
        case $line in
          *fail*) printf '{"reply":%s,"error":"it is broken"}\\n' "$number" ;;
          *pass*) printf '{"tell":"counter","body":5}\\n{"reply":%s,"body":"passed"}\\n' "$number" ;;
          *count*)
            printf '{"ask":"counter","id":"q","body":1}\\n'
            read -r answer
            total=$(printf '%s' "$answer" | sed 's/.*"body":\\([0-9]*\\).*/\\1/')
            printf '{"log":"counted"}\\n{"reply":%s,"body":{"total":%s}}\\n' "$number" "$total" ;;
          *garbage*) printf 'this is no JSON\\n' ;;
          *) printf '{"reply":%s,"body":[true,null,"x"]}\\n' "$number" ;;
        esac
      done
      """
    try await withCluster("a", "b") { cluster in
      try await cluster["a"].spawn("counter", "counter")
      try await spawn(
        cluster["b"], "program", ExecSpecification(command: ["/bin/sh", "-c", script], framing: .json))
      let node = try cluster["a"]
      #expect(try await node.ask("program", Message("hello")).json() == [.bool(true), .null, .string("x")])
      #expect(try await node.ask("program", Message("pass")).text == "passed")
      #expect(try await node.ask("program", Message("count")).json()["total"]?.integerValue == 6)
      #expect(try await code { _ = try await node.ask("program", Message("fail")) } == .handlerFailed)
      #expect(try await code { _ = try await node.ask("program", Message("garbage")) } == .handlerFailed)
      try await wait(for: "the program to answer again") {
        (try? await node.ask("program", Message("pass")).text) == "passed"
      }
    }
  }

  @Test("one-way: everything told is read by the program, in order; asking is refused")
  func oneWay() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      let output = cluster.directory + "/output"
      let command = ExecSpecification(command: ["/bin/sh", "-c", "exec cat > \(output)"], oneWay: true)
      try await spawn(node, "sink", command)
      for number in 0..<500 { try await node.tell("sink", Message("line \(number)")) }
      #expect(try await code { _ = try await node.ask("sink", Message("x")) } == .refused)
      let expected = (0..<500).map { "line \($0)\n" }.joined()
      try await wait(for: "the lines") { (try? String(contentsOfFile: output, encoding: .utf8)) == expected }
    }
  }

  @Test("a program that ends starts again, and beyond its budget the actor stops")
  func ends() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      let restart = RestartPolicy(
        maximumRestarts: 2, window: .seconds(600), backoff: Backoff(first: .milliseconds(5), limit: .milliseconds(5)))
      let script = "read -r line; case $line in end) exit 3 ;; *) echo \"one $line\"; exec cat ;; esac"
      try await spawn(node, "short", ExecSpecification(command: ["/bin/sh", "-c", script], restart: restart))
      for _ in 0..<2 { #expect(try await code { _ = try await node.ask("short", Message("end")) } == .handlerFailed) }
      #expect(try await node.ask("short", Message("more")).text == "one more")
      #expect(try await code { _ = try await node.spawn("exec", "nothing") } == .usage)
      let absent = ExecSpecification(command: ["/no/such/program"])
      #expect(try await code { try await spawn(node, "absent", absent) } != nil)
      #expect(try await code { try await node.tell("absent", Message()) } == .noSuchActor)
    }
  }

  @Test("a handler that hangs is ended at its time limit, and answers again")
  func hangs() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      let script = "while read -r line; do case $line in hang) sleep 600 ;; *) echo \"$line\" ;; esac; done"
      let restart = RestartPolicy(backoff: Backoff(first: .milliseconds(5), limit: .milliseconds(5)))
      try await spawn(
        node, "target",
        ExecSpecification(command: ["/bin/sh", "-c", script], handlerTimeout: .seconds(2), restart: restart))
      #expect(try await node.ask("target", Message("one")).text == "one")
      #expect(try await code { _ = try await node.ask("target", Message("hang"), timeout: .seconds(60)) } != nil)
      #expect(try await node.ask("target", Message("two"), timeout: .seconds(60)).text == "two")
    }
  }

  @Test("a node inside a program offers no kind exec unless it is asked for, and the kinds of its own all the same")
  func notAllowed() async throws {
    let standard = NodeConfiguration().allowsExec
    let programs = ["upper": ExecSpecification(command: ["sh", "-c", "while read -r x; do echo \"=$x\"; done"])]
    try await withCluster(
      "a",
      configure: {
        $0.allowsExec = standard
        $0.programs = programs
      }
    ) { cluster in
      let node = try cluster["a"]
      #expect(try await code { try await spawn(node, "x", ExecSpecification(command: ["cat"])) } == .noSuchKind)
      try await node.spawn("upper", "u")
      #expect(try await node.ask("u", Message("x")).text == "=x")
      let foreign = SpawnRequest(kind: "upper", name: "v", command: ExecSpecification(command: ["cat"]))
      #expect(try await code { try await node.spawn(foreign) } == .usage)
    }
  }
}
