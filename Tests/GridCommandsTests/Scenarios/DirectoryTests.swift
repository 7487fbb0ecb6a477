import Foundation
import Grid
import Testing

/// Where a node's files are, and whose they must be.
@Suite struct DirectoryTests {
  struct Case: Sendable, CustomStringConvertible {
    var environment: [String: String]
    var state: String
    var runtime: String
    var description: String { "\(environment)" }
  }

  static let cases = [
    Case(
      environment: ["XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r", "HOME": "/h"], state: "/s/gridctl/shop",
      runtime: "/r/gridctl/shop"),
    Case(environment: ["HOME": "/h"], state: "/h/.local/state/gridctl/shop", runtime: "/tmp/gridctl-1000/shop"),
    Case(environment: [:], state: "/tmp/gridctl-1000/.state/shop", runtime: "/tmp/gridctl-1000/shop"),
    Case(
      environment: ["XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": "", "HOME": "/h/"],
      state: "/h/.local/state/gridctl/shop", runtime: "/tmp/gridctl-1000/shop"),
    Case(
      environment: ["XDG_STATE_HOME": "relative", "XDG_RUNTIME_DIR": "../up", "HOME": "/h"],
      state: "/h/.local/state/gridctl/shop", runtime: "/tmp/gridctl-1000/shop"),
  ]

  @Test(arguments: cases)
  func theEnvironmentSaysWhere(_ example: Case) {
    let directories = GridDirectories(environment: example.environment, namespace: "shop", user: 1000)
    #expect(directories.state == example.state)
    #expect(directories.runtime == example.runtime)
  }

  @Test func longNamesGetSocketsThatFitAndDiffer() {
    let long = String(repeating: "n", count: 127)
    let runtime = "/run/user/1000"
    let one = GridDirectories(environment: ["XDG_RUNTIME_DIR": runtime], namespace: long + "1", user: 1000).runtime
    let two = GridDirectories(environment: ["XDG_RUNTIME_DIR": runtime], namespace: long + "2", user: 1000).runtime
    #expect(one != two)
    let sockets = Set(
      [one, two].flatMap { directory in
        [long + "1", long + "2", "n1"].map { GridDirectories.socket(of: $0, in: directory) }
      })
    #expect(sockets.count == 6)
    #expect(sockets.allSatisfy { $0.utf8.count <= 103 && $0.hasSuffix(".sock") })
    #expect(GridDirectories.socket(of: "n1", in: "/run/x") == "/run/x/n1.sock")
    #expect(throws: GridError.self) { try GridDirectories.checkRoom(forSocketsIn: String(repeating: "d", count: 90)) }
  }

  @Test func longNamesWorkFromOutside() async throws {
    try await withSandbox { sandbox in
      let long = String(repeating: "n", count: 128)
      try await sandbox.output("start --name \(long) --namespace \(long)")
      #expect(try await sandbox.output("gridctl peers -o name --namespace \(long)") == "peer/\(long)")
      try await sandbox.output("gridctl node stop --namespace \(long)")
      let result = try await sandbox.run(
        "XDG_RUNTIME_DIR=/tmp/\(String(repeating: "d", count: 100)) gridctl node start --listen 127.0.0.1:0")
      #expect(result.status == 78)
      #expect(result.errors.contains("too long\n  choose one of at most"), "\(result.errors)")
    }
  }

  @Test func directoriesAndSocketsAreTheUsersAlone() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("umask 0; start --name n1")
      let modes = try await sandbox.output(
        "stat -c '%a %n' run/gridctl{,/default{,/n1.sock}} state/gridctl{,/default}"
      )
      #expect(
        modes == """
          700 run/gridctl
          700 run/gridctl/default
          600 run/gridctl/default/n1.sock
          700 state/gridctl
          700 state/gridctl/default
          """)
      let open = try await sandbox.output("find state/gridctl/default -type f -perm /077")
      #expect(open == "")
    }
  }

  static let unsafe = [
    ("mkdir elsewhere; ln -s ../elsewhere run/gridctl", "run/gridctl", "it is a symbolic link"),
    ("mkdir -p elsewhere run/gridctl; ln -s ../../elsewhere run/gridctl/default", "default", "it is a symbolic link"),
    ("mkdir run/gridctl; chmod 777 run/gridctl", "run/gridctl", "other users may write to it"),
    ("mkdir -p run/gridctl/default; chmod 770 run/gridctl/default", "default", "other users may write to it"),
    ("mkdir run/gridctl; touch run/gridctl/default", "default", "it is no directory"),
  ]

  @Test(arguments: unsafe)
  func anUnsafeDirectoryIsRefused(_ preparation: String, _ place: String, _ reason: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(preparation)
      for command in ["gridctl node start --listen 127.0.0.1:0", "gridctl peers"] {
        let result = try await sandbox.run(command, limit: .seconds(20))
        #expect(result.status == 77, "\(command): \(result)")
        #expect(result.errors.contains("\(place) is not safe to use: \(reason)\n  "), "\(result.errors)")
      }
      #expect(try await sandbox.output("ls -A elsewhere 2>/dev/null || true") == "")
    }
  }

  @Test func withoutARuntimeDirectoryATemporaryOneOfTheUserServes() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.output("\(user.prefix) gridctl node start --detach --listen 127.0.0.1:0")
      let modes = try await sandbox.output(
        "cd \(user.substitute) && stat -c '%a %u %n' . default default/n1.sock")
      let number = user.identifier
      #expect(modes == "700 \(number) .\n700 \(number) default\n600 \(number) default/n1.sock")
      #expect(try await sandbox.output("\(user.prefix) gridctl peers -o name") == "peer/n1")
      try await sandbox.output("\(user.prefix) gridctl node stop")
    }
  }

  @Test func aTemporaryDirectoryOfSomebodyElseIsRefused() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      let traps = [
        ("mkdir -m 777", "it belongs to user 0, not to user \(user.identifier)"),
        ("ln -s \(sandbox.directory)/home", "it is a symbolic link"),
      ]
      for (trap, reason) in traps {
        try await sandbox.output("\(trap) \(user.substitute)")
        for command in ["node start --listen 127.0.0.1:0", "peers"] {
          let result = try await sandbox.run("\(user.prefix) gridctl \(command)", limit: .seconds(20))
          #expect(result.status == 77, "\(trap), \(command): \(result)")
          #expect(result.errors.contains("\(user.substitute) is not safe to use: \(reason)\n"), "\(result.errors)")
        }
        user.remove()
      }
    }
  }

  @Test func aStateDirectoryWithoutPermissionIsRefused() async throws {
    try await withSandbox { sandbox in
      let user = try await OtherUser.make(in: sandbox)
      defer { user?.remove() }
      if Machine.isRoot, user == nil { return }
      try await sandbox.output("mkdir -p closed/inside && chmod 500 closed closed/inside")
      for place in ["closed/inside", "closed/new"] {
        let result = try await sandbox.run(
          "\(user?.prefix ?? "") gridctl node start --listen 127.0.0.1:0 --state-dir $PWD/\(place)", limit: .seconds(20)
        )
        #expect(result.status == 77, "\(place): \(result)")
        #expect(result.errors.contains("Permission denied\n  choose another one with --state-dir"), "\(result.errors)")
      }
    }
  }
}
