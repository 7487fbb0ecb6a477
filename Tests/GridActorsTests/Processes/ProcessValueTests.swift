internal import CProcessGuard
internal import GridCore
internal import Testing

@testable internal import GridSystem

@Suite("Values around child processes")
struct ProcessValueTests {
  @Test(
    "wait statuses",
    arguments: [
      (0x0000, .exited(0)), (0x0100, .exited(1)), (0xff00, .exited(255)), (0x0009, .signalled(9)),
      (0x000f, .signalled(15)), (0x008b, .signalled(11)),
    ] as [(Int32, ProcessExitStatus)])
  func waitStatus(raw: Int32, expected: ProcessExitStatus) {
    #expect(ProcessExitStatus(waitStatus: raw) == expected)
  }

  @Test("exit statuses read well")
  func descriptions() {
    #expect(ProcessExitStatus.exited(3).description == "exited with code 3")
    #expect(ProcessExitStatus.signalled(9).description == "ended by signal 9 (SIGKILL)")
    #expect(ProcessExitStatus.signalled(40).description == "ended by signal 40")
    #expect(ProcessExitStatus.exited(0).isSuccess)
    #expect(!ProcessExitStatus.signalled(0).isSuccess)
  }

  @Test(
    "where a program is looked for",
    arguments: [
      ("foo", "/a:/b", ["/a/foo", "/b/foo"]),
      ("foo", ":/b:", ["./foo", "/b/foo", "./foo"]),
      ("foo", nil, ["/usr/local/bin/foo", "/usr/bin/foo", "/bin/foo"]),
      ("./foo", "/a", ["./foo"]),
      ("/x/foo", "/a", ["/x/foo"]),
    ] as [(String, String?, [String])])
  func candidates(executable: String, path: String?, expected: [String]) {
    let environment = path.map { ["PATH": $0] } ?? [:]
    #expect(ProcessCommand(executable, environment: environment).candidates == expected)
  }

  @Test(
    "malformed commands are refused",
    arguments: [
      ProcessCommand(""), ProcessCommand("a\0b"), ProcessCommand("a", arguments: ["b\0"]),
      ProcessCommand("a", environment: ["": "x"]), ProcessCommand("a", environment: ["x=y": "z"]),
      ProcessCommand("a", environment: ["x": "\0"]), ProcessCommand("a", workingDirectory: "/\0"),
    ])
  func malformed(command: ProcessCommand) {
    #expect(throws: GridError(.usage, "")) { try command.payload() }
  }

  @Test("the limit of a command is exact")
  func size() throws {
    var command = ProcessCommand("/bin/true", arguments: [""])
    let empty = try command.payload().count
    command.arguments = [String(repeating: "x", count: ProcessCommand.maximumBytes - empty)]
    #expect(try command.payload().count == ProcessCommand.maximumBytes)
    command.arguments[0] += "x"
    #expect(throws: GridError(.usage, "")) { try command.payload() }
  }

  @Test("a payload has what the guard expects, in its order")
  func payload() throws {
    let command = ProcessCommand(
      "run", arguments: ["a b", ""], environment: ["PATH": "/p", "A": "1"], workingDirectory: "/tmp")
    let bytes = try command.payload()
    let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: grid_guard_payload.self) }
    #expect(
      [header.directories, header.arguments, header.environment, header.candidates] == [1, 3, 2, 1])
    let strings = bytes.dropFirst(MemoryLayout<grid_guard_payload>.size).split(
      separator: 0, omittingEmptySubsequences: false)
    #expect(
      strings.map { String(decoding: $0, as: UTF8.self) } == ["/tmp", "run", "a b", "", "A=1", "PATH=/p", "/p/run", ""])
  }

  @Test("names of programs never drive a terminal")
  func quoted() {
    #expect(ProcessCommand("bc").quoted == "“bc”")
    #expect(ProcessCommand("\u{1b}[31mred\n").quoted == "“?[31mred?”")
    #expect(ProcessCommand(String(repeating: "x", count: 500)).quoted.count == 131)
  }

  @Test("an exit latch answers everyone, once, and lets go of the cancelled")
  func latch() async throws {
    let latch = ExitLatch()
    let first = latch.makeWaiter()
    latch.cancel(first)
    #expect(await latch.wait(as: first) == nil)
    await withTaskGroup(of: ProcessExitStatus?.self) { group in
      for _ in 0..<10 { group.addTask { try? await latch.wait() } }
      latch.complete(.exited(7))
      latch.complete(.exited(8))
      for await status in group { #expect(status == .exited(7)) }
    }
    #expect(latch.status == .exited(7))
    let cancelled = Task { () -> GridError? in
      do throws(GridError) { _ = try await ExitLatch().wait() } catch { return error }
      return nil
    }
    cancelled.cancel()
    #expect(await cancelled.value == GridError(.cancelled, ""))
  }
}
