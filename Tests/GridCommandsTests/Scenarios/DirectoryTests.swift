import Foundation
import Grid
internal import GridSystem
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
    Case(
      environment: [
        "STATE_DIRECTORY": "/var/lib/gridctl", "RUNTIME_DIRECTORY": "/run/other:/run/gridctl", "XDG_STATE_HOME": "/s",
        "XDG_RUNTIME_DIR": "/r",
      ], state: "/var/lib/gridctl/shop", runtime: "/run/gridctl/shop"),
    // A service of another program, which runs gridctl.
    Case(
      environment: [
        "STATE_DIRECTORY": "/var/lib/other", "RUNTIME_DIRECTORY": "/run/other:gridctl:", "XDG_STATE_HOME": "/s",
        "XDG_RUNTIME_DIR": "/r",
      ], state: "/s/gridctl/shop", runtime: "/r/gridctl/shop"),
  ]

  @Test(arguments: cases)
  func theEnvironmentSaysWhere(_ example: Case) {
    let directories = GridDirectories(environment: example.environment, namespace: "shop", user: 1000)
    #expect(directories.state == example.state)
    #expect(directories.runtime == example.runtime)
  }

  @Test(arguments: [
    (["XDG_RUNTIME_DIR": "/r"], ["/r/gridctl/shop", "/run/gridctl/shop", "/tmp/gridctl-1000/shop"]),
    ([:], ["/run/user/1000/gridctl/shop", "/run/gridctl/shop", "/tmp/gridctl-1000/shop"]),
    (["XDG_RUNTIME_DIR": "/run"], ["/run/gridctl/shop", "/tmp/gridctl-1000/shop"]),
    (
      ["RUNTIME_DIRECTORY": "/x/gridctl", "XDG_RUNTIME_DIR": "/r"],
      ["/x/gridctl/shop", "/r/gridctl/shop", "/run/gridctl/shop", "/tmp/gridctl-1000/shop"]
    ),
  ])
  func aClientLooksWhereNodesMayBe(_ environment: [String: String], _ expected: [String]) {
    #expect(GridDirectories(environment: environment, namespace: "shop", user: 1000).searched == expected)
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

  static let unsafeStates = [
    ("mkdir -m 777 state/gridctl", "state/gridctl", "other users may write to it"),
    ("mkdir -p state/gridctl; mkdir -m 770 state/gridctl/default", "default", "other users may write to it"),
    (
      "umask 077; mkdir -p state/gridctl/default; mkdir -m 777 state/gridctl/default/coordination.sqlite.leases",
      "coordination.sqlite.leases", "other users may write to it"
    ),
  ]

  @Test(arguments: unsafeStates)
  func anUnsafeStateDirectoryIsRefused(_ preparation: String, _ place: String, _ reason: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(preparation)
      for command in ["gridctl node start --listen 127.0.0.1:0", "gridctl node start --detach --listen 127.0.0.1:0"] {
        let result = try await sandbox.run(command, limit: .seconds(20))
        #expect(result.status == 77, "\(command): \(result)")
        #expect(result.errors.contains("the state directory \(sandbox.directory)/state/gridctl"), "\(result.errors)")
        #expect(result.errors.contains("\(place) is not safe to use: \(reason)\n  chmod go-w "), "\(result.errors)")
      }
      #expect(try await sandbox.output("find state -name secret -o -name '*.sqlite'") == "")
    }
  }

  @Test func aStateDirectoryOfAnotherUserIsRefused() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      let result = try await sandbox.run(
        "gridctl node start --listen 127.0.0.1:0 --state-dir $PWD/home", limit: .seconds(20))
      #expect(result.status == 77, "\(result)")
      #expect(
        result.errors.contains(
          "the state directory \(sandbox.directory)/home is not safe to use: it belongs to user \(user.identifier)"),
        "\(result.errors)")
      // A directory that was made for the node may lie where it may make none.
      try await sandbox.output(
        "mkdir -m 755 var; mkdir -m 700 var/lib; chown \(user.identifier) var/lib; chmod 755 .; "
          + "\(user.prefix) gridctl node start --name u1 --detach --listen 127.0.0.1:0 --state-dir $PWD/var/lib")
      try await sandbox.output("\(user.prefix) gridctl node stop u1")
      // A link of one's own to a place of one's own is not.
      try await sandbox.output("mkdir real; ln -s real link; start --name n1 --state-dir $PWD/link")
      #expect(try await sandbox.output("ls real | grep -c secret") == "1")
    }
  }

  @Test func aLostSocketIsMadeAgainAndItsNodeFoundMeanwhile() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let process = try await sandbox.processIdentifier(of: "n1")
      try await sandbox.output("rm run/gridctl/default/n*.sock; gridctl peers -o name >found")
      #expect(try await sandbox.output("cat found") == "peer/n1\npeer/n2")
      try await sandbox.output("eventually 'test -S run/gridctl/default/n1.sock -a -S run/gridctl/default/n2.sock'")
      #expect(try await sandbox.output("gridctl node ping -o name -e $(at n1)") == "node/n1")
      // The whole directory, as what cleans temporary ones up removes it.
      try await sandbox.output("rm -r run/gridctl; gridctl peers -o name; eventually 'gridctl node ping -e $(at n2)'")
      #expect(try await sandbox.output("stat -c '%a' run/gridctl run/gridctl/default/n2.sock") == "700\n600")
      #expect(try await sandbox.processIdentifier(of: "n1") == process)
      try await sandbox.output("gridctl node stop n2; gridctl node stop n1")
      let none = try await sandbox.run("gridctl peers")
      #expect(none.status == 69 && none.errors.contains("no node of namespace default runs"), "\(none)")
    }
  }

  @Test func aNodeThatWasStartedWithoutARuntimeDirectoryIsFoundWithOne() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.output("\(user.prefix) gridctl node start --detach --listen 127.0.0.1:0")
      try await sandbox.output("mkdir -m 700 home/run; chown \(user.identifier) home/run")
      let other = "\(user.prefix) env XDG_RUNTIME_DIR=\(sandbox.directory)/home/run"
      #expect(try await sandbox.output("\(other) gridctl peers -o name") == "peer/n1")
      try await sandbox.output("\(other) gridctl node stop")
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
