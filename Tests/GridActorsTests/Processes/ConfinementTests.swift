internal import Glibc
internal import GridCore
internal import Testing

@testable internal import GridSystem

@Suite("Confined programs", .timeLimit(.minutes(5)))
struct ConfinementTests {
  private static let isRoot = geteuid() == 0

  private func output(
    of script: String, _ confine: (inout ProcessCommand) async throws -> Void
  ) async throws -> [String] {
    var command = shell(script)
    try await confine(&command)
    var texts: [String] = []
    try await withProcessGuard { [command] processGuard, eventLoop in
      texts = try await processGuard.spawn(command, on: eventLoop).allTexts()
    }
    return texts
  }

  private func failure(_ confine: (inout ProcessCommand) -> Void) async throws -> GridError? {
    var command = shell("echo it ran")
    confine(&command)
    var failure: GridError?
    try await withProcessGuard { [command] processGuard, eventLoop in
      failure = await #expect(throws: GridError.self) { try await processGuard.spawn(command, on: eventLoop) }
      #expect(processGuard.childCount == 0)
    }
    return failure
  }

  @Test("limits hold in the program, and nowhere else")
  func limits() async throws {
    let before = try contents(of: "/proc/self/limits")
    let script = "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -St; ulimit -Ht; ulimit -Sf; ulimit -Sv"
    let texts = try await output(of: script) { command in
      command.limits = [
        (.openFiles, try .init(soft: 50, hard: 60)), (.coreSize, try .init(soft: 0, hard: 0)),
        (.processorTime, try .init(soft: 70, hard: 80)), (.fileSize, try .init(soft: 1 << 20, hard: 1 << 20)),
        (.memory, try .init(soft: 1 << 30, hard: 1 << 30)),
      ]
    }
    #expect(texts == ["50", "60", "0", "70", "80", "2048", "1048576"])
    #expect(try contents(of: "/proc/self/limits") == before)
  }

  @Test("a limit that the node may not give is named")
  func limitRefused() async throws {
    // More than the kernel lets anybody have.
    let limit = try ProgramConfinement.Limit(soft: 1 << 40, hard: 1 << 40)
    let failure = try await failure { $0.limits = [(.coreSize, limit), (.openFiles, limit)] }
    #expect(failure?.code == .refused)
    #expect(failure?.message.contains("may not let “/bin/sh” have that nofile") == true, "\(failure?.message ?? "")")
    #expect(failure?.hint?.contains("ulimit -Ha") == true)
  }

  @Test("another user's program has that user's rights and groups alone, and dies like any other", .enabled(if: isRoot))
  func user() async throws {
    let account = try #require(try await SystemAccount.named("nobody").assumed())
    let script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME ${XDG_RUNTIME_DIR-none}"
    let texts = try await output(of: script) { command in
      command.account = account
      command.environment = ProgramEnvironment(testEnvironment).merging(["XDG_RUNTIME_DIR": "/run/x", "TMPDIR": "/x"])
        .belonging(to: account)
    }
    let groups = account.groups.map { String($0) }.joined(separator: " ")
    #expect(
      texts == ["\(account.user)", "\(account.group)", groups, "\(account.home) nobody nobody none"])
    let look = "grep -E '^(CapEff|CapPrm|CapAmb)' /proc/self/status; cat /proc/1/environ >&2 && echo read"
    let status = try await output(of: look) { $0.account = account }
    #expect(status.allSatisfy { $0.hasSuffix("\t0000000000000000") } && status.count == 3, "\(status)")
    try await withProcessGuard { processGuard, eventLoop in
      var command = shell("sleep 600 & echo $$ $!; wait")
      command.account = account
      let child = try await processGuard.spawn(command, on: eventLoop)
      let processes = try await child.nextNumbers()
      let end = await child.terminate(grace: .zero)
      #expect([.signalled(SIGKILL), .signalled(SIGTERM)].contains(end))
      try await waitUntilGone(processes)
    }
  }

  @Test("the program of another user dies with its keeper", .enabled(if: isRoot))
  func keeperDies() async throws {
    let account = try #require(try await SystemAccount.named("nobody").assumed())
    try await withProcessGuard { processGuard, eventLoop in
      var command = shell("echo $$ $PPID; exec sleep 600")
      command.account = account
      let child = try await processGuard.spawn(command, on: eventLoop)
      let processes = try await child.nextNumbers()
      kill(processes[1], SIGKILL)
      try await waitUntilGone(processes)
    }
  }

  @Test("a user that is not there, and one whom only root may become, are refused")
  func userRefused() async throws {
    await #expect(throws: GridError(.usage, "")) { try await SystemAccount.named("no-such-user-\(getpid())") }
    var other = SystemAccount(name: "other", user: geteuid() + 1, group: 1, groups: [1], home: "/")
    if !Self.isRoot {
      let error = #expect(throws: GridError.self) { try other.assumed() }
      #expect(error?.code == .refused && error?.hint?.contains("root") == true)
    }
    other.user = geteuid()
    #expect(try other.assumed() == nil)
  }

  @Test("only a control group is one, and nothing else is written to")
  func noCgroup() async throws {
    var template = Array("/tmp/gridctl-cgroup-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.flatMap { mkdtemp($0) } }
    let directory = try #require(made.map { String(cString: $0) })
    let file = directory + "/cgroup.procs"
    close(open(file, O_WRONLY | O_CREAT, 0o600))
    defer {
      unlink(file)
      rmdir(directory)
    }
    for path in [directory, directory + "/none", file] {
      let failure = try await failure { $0.cgroup = path }
      #expect(failure?.code == .noInput, "\(path): \(String(describing: failure))")
      #expect(failure?.message == "\"\(path)\" is no control group of version 2")
    }
    #expect(try contents(of: file) == "")
  }

  /// Where a control group can be made here.
  private static let cgroups: String? = {
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
      let place = "\(root)/gridctl-test-\(getpid())"
      guard access("\(root)/cgroup.procs", W_OK) == 0, mkdir(place, 0o755) == 0 else { continue }
      if access("\(place)/cgroup.procs", W_OK) == 0 { return place }
      rmdir(place)
    }
    return nil
  }()

  @Test("a program is in the control group that it was started in", .enabled(if: cgroups != nil))
  func cgroup() async throws {
    let place = try #require(Self.cgroups)
    let texts = try await output(of: "cat /proc/self/cgroup; cat \(place)/cgroup.procs | wc -l") { $0.cgroup = place }
    #expect(texts.contains { $0.hasPrefix("0::/") && $0.hasSuffix("/gridctl-test-\(getpid())") }, "\(texts)")
    #expect(try #require(texts.last.flatMap { Int($0.filter(\.isNumber)) }) >= 1)
    try await wait(for: "the group to be empty") { rmdir(place) == 0 }
  }
}
