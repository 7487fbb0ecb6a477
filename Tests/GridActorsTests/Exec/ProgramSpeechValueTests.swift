internal import GridCore
internal import NIOCore
internal import Testing

@testable internal import GridActors
@testable internal import GridSystem

@Suite("Values around what programs say")
struct ProgramSpeechValueTests {
  private func second(_ number: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(number * 1e9)) }

  @Test("lines of a log: so many at once, then so many a second, the others counted")
  func budget() {
    var budget = LogBudget(burst: 3, perSecond: 2)
    func admits(_ seconds: Double) -> Bool { budget.admits(at: second(seconds)) }
    func takeLeftOut() -> Int { budget.takeLeftOut() }
    #expect((0..<5).map { _ in admits(10) } == [true, true, true, false, false])
    #expect(!admits(10.4))
    #expect(admits(10.5))
    #expect(!admits(10.6))
    budget.leaveOut(6)
    #expect(takeLeftOut() == 10)
    #expect(takeLeftOut() == 0)
    // After a rest the burst is whole again, and no more.
    #expect((0..<4).map { _ in admits(60) } == [true, true, true, false])
  }

  @Test("the last lines are bounded, printable, and none is empty")
  func lastLines() {
    var lines = LastLines()
    #expect(lines.text == nil)
    lines.note(Array("  \t".utf8))
    #expect(lines.text == nil)
    lines.note(Array("Traceback:\r".utf8))
    lines.note(Array("\t\u{1b}[31mred \u{FF}".utf8) + [0xFF, 0x00])
    #expect(lines.text == "Traceback: | \\u{1B}[31mred ÿ\\xff\\0")
    for number in 0..<100 { lines.note(Array("\(number) \(String(repeating: "x", count: 1000))".utf8)) }
    let parts = lines.text?.split(separator: " | ") ?? []
    #expect(parts.count == LastLines.maximumLines)
    #expect(parts.allSatisfy { $0.utf8.count <= LastLines.maximumLineBytes + 3 })
    #expect(parts.last?.hasPrefix("99 xxx") == true)
  }

  @Test("unread mail is forgotten as it is read, whole lines only, in order")
  func unreadMail() {
    var mail = UnreadMail()
    func read(_ offset: Int) -> Int { mail.read(upTo: offset) }
    for (text, end) in [("a", 2), ("bb", 5), ("c", 7)] { mail.add(Message(text), from: "s", end: end) }
    mail.add(Message("never written"), from: "s", end: nil)
    #expect(read(1) == 0)
    #expect(read(2) == 1)
    // Part of the second line is read: it is unread.
    #expect(read(4) == 0)
    let rest = mail.takeAll(for: "x")
    #expect(rest.map(\.message.text) == ["bb", "c", "never written"])
    #expect(rest.allSatisfy { $0.target == "x" && $0.sender == "s" })
    #expect(mail.isEmpty)
  }

  @Test(
    "skipping lines keeps the last ones and what is not whole",
    arguments: [
      ("a\nb\nc\nd", 1, 2, ["c"]), ("a\nb\nc\n", 0, 3, []), ("a\nb\nc\n", 5, 0, ["a", "b", "c"]), ("abc", 0, 0, []),
      ("\n\n\n", 2, 1, ["", ""]), ("", 0, 0, []),
    ] as [(String, Int, Int, [String])])
  func skipping(text: String, kept: Int, skipped: Int, rest: [String]) throws {
    var splitter = LineSplitter(limit: 100, overflow: .cut)
    splitter.append(.init(string: text))
    let count = splitter.skipLines(keeping: kept)
    #expect(count == skipped)
    var lines: [String] = []
    while let line = try splitter.next() { lines.append(String(decoding: line.bytes, as: UTF8.self)) }
    #expect(lines == rest)
    splitter.append(.init(string: "e\n"))
    let next = try splitter.next().map { String(decoding: $0.bytes, as: UTF8.self) }
    #expect(next == (text.hasSuffix("\n") || text.isEmpty ? "e" : String(text.split(separator: "\n").last ?? "") + "e"))
  }

  @Test(
    "which variables programs get",
    arguments: [
      ("PATH", true), ("LC_ALL", true), ("XDG_RUNTIME_DIR", true), ("AWS_SECRET", false), ("FOO_A", true),
      ("FOO", false), ("EXACT", true), ("EXACTLY", false), ("GRIDCTL_ETCD_PASSWORD", false), ("NOTIFY_SOCKET", true),
      ("LISTEN_FDS", false),
    ])
  func policy(name: String, isPassed: Bool) {
    // A pattern passes nothing of gridctl's own; a full name does.
    let policy = EnvironmentPolicy(passing: ["FOO_*", "EXACT", "GRIDCTL_*", "LISTEN_*", "NOTIFY_SOCKET"])
    #expect(policy.passes(name) == isPassed)
  }

  @Test("without a wish nothing of gridctl's own and no secret is passed")
  func strictPolicy() {
    let policy = EnvironmentPolicy()
    for name in ["GRIDCTL_ETCD_PASSWORD", "NOTIFY_SOCKET", "GRIDCTL_STORE", "SSH_AUTH_SOCK", ""] {
      #expect(!policy.passes(name))
    }
    for name in ["", "a b", "A=B", "\u{7F}"] {
      #expect(throws: GridError(.usage, "")) { try EnvironmentPolicy.validated(name) }
    }
  }

  @Test("an environment keeps its bytes, also through a look at it as text")
  func environment() {
    let broken: [UInt8] = Array("RAW=".utf8) + [0xFF, 0x41]
    let environment = ProgramEnvironment(entries: [broken, Array("A=1=2".utf8), Array("nonsense".utf8)])
    #expect(environment.entries == [Array("A=1=2".utf8), broken])
    #expect(environment["A"] == "1=2")
    #expect(environment["RAW"] == nil)
    let text = ["A": "changed", "RAW": "\u{FFFD}A", "NEW": "x"]
    #expect(
      environment.restoring(text).entries == [Array("A=changed".utf8), Array("NEW=x".utf8), broken])
    #expect(environment.merging(["RAW": "y"]).filter { $0 == "RAW" }.entries == [Array("RAW=y".utf8)])
  }
}
