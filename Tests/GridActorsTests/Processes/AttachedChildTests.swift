internal import Glibc
internal import GridCore
internal import Testing

@testable internal import GridSystem

@Suite("Programs on our own input and output", .timeLimit(.minutes(5)))
struct AttachedChildTests {
  @Test("no descriptor but 0, 1 and 2, whatever is open here")
  func descriptors() async throws {
    let leak = open("/dev/null", O_RDONLY)
    defer { close(leak) }
    let (status, text) = try await output(of: "ls -l /proc/self/fd | sed -n 's/.* -> //p'")
    #expect(status == .exited(0))
    let links = text.split(separator: "\n")
    // The fourth is how ls reads the directory.
    #expect(links.count == 4 && links.last?.hasSuffix("/fd") == true, "\(text)")
  }

  @Test("all that descends from it ends with it, whatever session it is in")
  func descendants() async throws {
    let (status, text) = try await output(of: "setsid sleep 600 >/dev/null 2>&1 & echo $!; exit 3")
    #expect(status == .exited(3))
    let sleeper = try #require(Int32(text.dropLast()))
    #expect(!isRunning(sleeper))
  }

  @Test("a kill is for all that descends from it")
  func kill() async throws {
    let child = try await AttachedChild.start(
      ["/bin/sh", "-c", "trap '' TERM; sleep 600; true"], environment: ProgramEnvironment(testEnvironment))
    var sleeper: Int32?
    try await wait(for: "the sleeper") {
      let children = try contents(
        of: "/proc/\(child.processIdentifier)/task/\(child.processIdentifier)/children")
      sleeper = children.split(separator: " ").first.flatMap { Int32($0) }
      return sleeper != nil
    }
    child.signal(SIGTERM)
    child.signal(SIGKILL)
    #expect(await child.exit() == .signalled(SIGKILL))
    #expect(sleeper.map(isRunning) == false)
  }

  @Test("it ends with its limit, and what it left too")
  func limit() async throws {
    let limit = RunLimit()
    limit.extend(until: bootTime() + .milliseconds(500), notice: .milliseconds(200))
    let child = try await AttachedChild.start(
      ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 600; done"], environment: ProgramEnvironment(testEnvironment),
      limit: limit)
    #expect(await child.exit() == .signalled(SIGKILL))
  }

  @Test("a program that cannot be started says why", arguments: [("/no/such/program", GridError.Code.noInput)])
  func failure(program: String, code: GridError.Code) async throws {
    let error = await #expect(throws: GridError.self) {
      try await AttachedChild.start([program], environment: ProgramEnvironment(testEnvironment))
    }
    #expect(error?.code == code)
  }

  @Test("who gets the terminal")
  func placement() {
    func placement(may: Bool = true, input: Bool, output: Bool, foreground: Bool = true) -> TerminalLoan.Placement {
      TerminalLoan.placement(
        mayHoldTerminal: may, isInputTerminal: input, isOutputTerminal: output, isForeground: foreground)
    }
    let alone = TerminalLoan.Placement(hasOwnGroup: true, getsTerminal: false)
    let shared = TerminalLoan.Placement(hasOwnGroup: false, getsTerminal: false)
    #expect(placement(input: true, output: true) == TerminalLoan.Placement(hasOwnGroup: true, getsTerminal: true))
    #expect(placement(input: true, output: true, foreground: false) == alone)
    #expect(placement(input: true, output: false) == shared)
    #expect(placement(may: false, input: true, output: true) == shared)
    #expect(placement(input: false, output: true) == alone)
  }

  /// Runs a script, and returns how it ended and what it wrote.
  private func output(of script: String) async throws -> (ProcessExitStatus, String) {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let child: AttachedChild
    do {
      child = try await AttachedChild.start(
        ["/bin/sh", "-c", script], environment: ProgramEnvironment(testEnvironment), output: ends[1])
      close(ends[1])
    } catch {
      close(ends[1])
      throw error
    }
    let status = await child.exit()
    // All that could write has ended, and it was little enough for the pipe.
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = read(ends[0], &bytes, bytes.count)
    return (status, String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
  }
}
