import GridCore
import Testing

@testable import GridREPL

/// The parts of a session that need neither terminal nor cluster.
@Suite struct PureTests {
  @Test(arguments: [
    ("peers", true), (" peers", false), ("", false), ("again", false), ("tell x --token abc", false),
    ("tell x '{\"password\":\"y\"}'", false), ("let token = 5", false), ("TOKEN=abc", false),
    ("ask tokens hello", true),
    ("ask x -H Authorization=Basic", false), ("tell x 'Bearer abcdef'", false), ("!curl http://me:pw@host/x", false),
    ("!curl http://host:80/x", true), ("ask passwords -m List", true), ("tell x api_key: 5", false),
    ("!ssh-add key", true), ("tell secret-santa hello", true), ("tell x --secret=5", false), ("--password x", false),
    ("tell x -----BEGIN PRIVATE KEY-----", false),
  ])
  func secretsAndSpacesStayOutOfTheHistory(_ line: String, _ isKept: Bool) {
    #expect(HistoryFilter.keeps(line, after: "again") == isKept, "\(line)")
  }

  @Test func aFloodIsFoldedByKind() {
    var folder = EventFolder()
    var now = MonotonicTime(nanoseconds: 0)
    var shown = 0
    for index in 0..<1254 {
      let name = index.isMultiple(of: 10) ? "other-\(index)" : "orders-9"
      if folder.admits(kind: "dead-letter", name: name, now: now) { shown += 1 }
    }
    let isPeerShown = folder.admits(kind: "peer", name: "n1", now: now)
    #expect(!isPeerShown)
    #expect(shown == EventFolder.shownPerSecond)
    #expect(folder.flush(now: now) == [], "the second is not over")
    now = now + .seconds(1)
    #expect(
      folder.flush(now: now) == [
        "1,204 more dead letters in 1s, mostly to orders-9 (:events dead-letter to see)",
        "1 more peer event in 1s, mostly of n1 (:events peer to see)",
      ])
    #expect(folder.flush(now: now) == [])
    let isShownAgain = folder.admits(kind: "peer", name: "n1", now: now)
    #expect(isShownAgain, "a new second shows again")
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000")])
  func numbersAreGrouped(_ number: Int, _ text: String) { #expect(CountText.grouped(number) == text) }

  @Test func thePromptShowsContextNodeAndHealth() {
    func peer(_ status: PeerReport.Status) -> PeerReport {
      PeerReport(
        record: NodeRecord(
          name: "n1", address: "", incarnation: 1, version: "", labels: [:], kinds: [],
          startedAt: CalendarTime(millisecondsSince1970: 0)), status: status, isSelf: false)
    }
    var style = PromptStyle(context: "prod", usesColor: false)
    let health = PromptHealth(node: "n1", peers: [peer(.alive), peer(.alive), peer(.left)])
    #expect(style.text(health, resultNumber: 3) == "prod n1 2/2> ")
    let degraded = PromptHealth(node: "n1", peers: [peer(.alive), peer(.suspect)])
    #expect(style.text(degraded, resultNumber: 3) == "prod n1 1/2!> ")
    #expect(style.text(PromptHealth(node: nil), resultNumber: 3) == "prod -> ")
    #expect(style.text(health, resultNumber: 3, form: .continuation) == "prod n1 …> ")
    style.format = "%#%% %n%x "
    #expect(style.text(health, resultNumber: 3) == "3% n1x ")
    style = PromptStyle(context: "prod", isProtected: true, color: 31)
    #expect(style.text(health, resultNumber: 1).contains("\u{1}\u{1B}[7;31m\u{2}prod\u{1}\u{1B}[0m\u{2}"))
  }

  @Test func watchMarksWhatHasChanged() {
    var plain = WatchView(marksChanges: true, isOnTerminal: false)
    #expect(plain.show("t", "a 1\nb 2\n") == "t\n  a 1\n  b 2\n")
    #expect(plain.show("t", "a 1\nb 3\nc\n") == "t\n  a 1\n* b 3\n* c\n")
    var screen = WatchView(marksChanges: true, isOnTerminal: true, height: 24, width: 20)
    #expect(screen.show("title", "a 1\n") == "title\na 1\n")
    #expect(screen.show("title", "a 2\n") == "\u{1B}[2A\r\u{1B}[Jtitle\na \u{1B}[7m2\u{1B}[27m\n")
    var small = WatchView(marksChanges: false, isOnTerminal: true, height: 5, width: 8)
    #expect(small.show("a long title", "1\n2\n3\n4\n5\n") == "a long …\n1\n2\n… 3 more lines\n")
  }

  @Test(arguments: [
    ("", "pe", CompletionSpot.command(words: [], prefix: "pe", quote: "")),
    ("ask ", "or", .command(words: ["ask"], prefix: "or", quote: "")),
    ("ask ", "'or", .command(words: ["ask"], prefix: "or", quote: "'")),
    ("peers; ask ", "", .command(words: ["ask"], prefix: "", quote: "")),
    ("actors |> ", "e", .stage(prefix: "e")),
    ("actors |> each ", "in", .command(words: [], prefix: "in", quote: "")),
    ("actors |> each -P 4 ask ", "x", .command(words: ["ask"], prefix: "x", quote: "")),
    ("let r = ask ", "x", .command(words: ["ask"], prefix: "x", quote: "")),
    ("watch -n 2s -d ask ", "x", .command(words: ["ask"], prefix: "x", quote: "")),
    ("peers | gr", "", .nothing), ("peers > ", "fi", .file(prefix: "fi")), ("tell x ", "@fi", .file(prefix: "@fi")),
    ("", ":jo", .colon(prefix: ":jo")), (":attach ", "n", .colonArgument(name: "attach", index: 0, prefix: "n")),
    ("ask x ", "$r.it", .variable(prefix: "$r.it")), ("!ls ", "x", .nothing),
    ("tell 'a; b' ", "x", .command(words: ["tell", "a; b"], prefix: "x", quote: "")),
    ("for a in actors ", "o", .command(words: ["actors"], prefix: "o", quote: "")), ("let ", "x", .nothing),
  ])
  func theCompleterKnowsWhereItIs(_ before: String, _ word: String, _ spot: CompletionSpot) {
    #expect(CompletionSpot(before: before, word: word) == spot, "\(before)«\(word)»")
  }

  @Test func marksStandUnderTheirWords() {
    #expect(SourceMark.lines("ask orders", 4..<10) == ["  ask orders", "      ^~~~~~"])
    #expect(SourceMark.lines("one\ntwo three", 8..<13) == ["  two three", "      ^~~~~"])
    #expect(SourceMark.lines("ask", 3..<4) == ["  ask", "     ^"])
    #expect(SourceMark.lines("", 0..<1) == [])
  }

  @Test func linesOfAScriptAreRunOnceTheyAreWhole() {
    var lines = ScriptLines()
    #expect(lines.add("peers") == ScriptLines.Piece(text: "peers", line: 1))
    #expect(lines.add("# nothing") == nil)
    #expect(lines.add("if 1 == 1") == nil)
    #expect(lines.add("  kinds") == nil)
    #expect(lines.add("end") == ScriptLines.Piece(text: "if 1 == 1\n  kinds\nend", line: 3))
    #expect(lines.add("tell x '") == nil)
    #expect(lines.rest() == ScriptLines.Piece(text: "tell x '", line: 6))
    #expect(lines.rest() == nil)
  }

  @Test func theCodeOfAScriptSaysWhatFailed() {
    var code = ScriptCode()
    for last: Int32 in [0, 67, 0] { code.add(last) }
    #expect(code.result(stopsOnError: false) == 3)
    #expect(code.result(stopsOnError: true) == 0)
    var all = ScriptCode()
    all.add(69)
    #expect(all.result(stopsOnError: false) == 69)
    #expect(ScriptCode().result(stopsOnError: false) == 0)
  }

  @Test func eventsOfPeersAreToldByOneNode() throws {
    // 2026-01-02T14:02:07.123Z
    let time = CalendarTime(millisecondsSince1970: 1_767_362_527_123)
    let event = GridEvent(
      sequence: 1, at: time, node: "n1", name: "n3", fact: .other(.peer, text: "suspect"))
    #expect(EventLine(event: event, node: "n1")?.text == "14:02:07 n3 suspect")
    #expect(EventLine(event: event, node: "n2") == nil)
    let letter = DeadLetter(
      identifier: "7", at: time, reason: .mailboxFull, target: "x", sender: "", node: "n1", message: Message("x"),
      count: 1200)
    #expect(EventLine(deadLetter: letter).text == "14:02:07 1,200 dead letters to x: mailbox-full (7)")
    #expect(try ShownEvents("off").kinds == [])
    #expect(try ShownEvents("member,leader").text == "leader,peer")
    #expect(throws: GridError.self) { try ShownEvents("actr") }
  }

  @Test func theNoticesAreBounded() {
    let notices = Notices()
    #expect(notices.add("first"))
    for index in 0..<1000 { _ = notices.add("line \(index)") }
    let text = notices.take(now: MonotonicTime(nanoseconds: 5)) ?? ""
    #expect(text.split(separator: "\n").count == Notices.capacity + 1)
    #expect(text.hasSuffix("· 801 more lines were not shown\n"))
    notices.hold(true)
    #expect(!notices.add("held"))
    #expect(notices.take(now: MonotonicTime(nanoseconds: 9)) == nil)
    notices.hold(false)
    #expect(notices.take(now: MonotonicTime(nanoseconds: 9)) == "held\n")
  }
}
