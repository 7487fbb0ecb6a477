internal import GridCore
internal import GridRequests
internal import Testing

@testable internal import GridCommands

/// What keys do in `gridctl top`, and what is drawn.
@Suite struct TopViewTests {
  @Test(arguments: [
    ("a", [TerminalKey.character("a")]), ("\u{1B}[A", [.up]), ("\u{1B}OB", [.down]),
    ("\u{1B}[5~\u{1B}[6~", [.pageUp, .pageDown]),
    ("\u{1B}", [.escape]), ("\u{1B}q", [.escape, .character("q")]), ("\r\n", [.enter, .enter]),
    ("\u{7F}\u{8}", [.backspace, .backspace]),
    ("\u{3}\u{1A}\u{4}\u{C}", [.interrupt, .suspend, .endOfInput, .redraw]),
    ("é日", [.character("é"), .character("日")]),
    ("\u{1B}[H\u{1B}[4~\u{1B}[1;5C", [.home, .end, .right]), ("\u{1B}[200~x\u{1B}[201~", [.character("x")]),
    ("\u{0}\u{1}", []),
  ])
  func `keys are read from what a terminal sends`(_ text: String, _ expected: [TerminalKey]) {
    var decoder = TerminalKeyDecoder()
    #expect(decoder.take(text.utf8) == expected)
  }

  @Test func `a sequence may come in pieces, and nothing is too much`() {
    var decoder = TerminalKeyDecoder()
    #expect(decoder.take([0x1B, 0x5B]) == [] && decoder.take([0x41]) == [.up])
    #expect(decoder.take([0xE6, 0x97]) == [] && decoder.take([0xA5]) == [.character("日")])
    #expect(decoder.take([0x1B, 0x5B] + Array(repeating: 0x30, count: 10_000)) == [])
    #expect(decoder.take("q".utf8).last == .character("q"))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 { _ = decoder.take([UInt8.random(in: 0...255, using: &generator)]) }
  }

  private static let names = (1...9).map { "a\($0)" }

  /// Presses keys; the actions they ask for.
  private static func press(_ view: inout TopView, _ keys: [TerminalKey], height: Int = 3) -> [TopView.Action] {
    keys.map { view.press($0, names: names, height: height) }.filter { $0 != .redraw }
  }

  @Test func `arrows mark a line and scroll`() {
    var view = TopView(order: .mailbox)
    _ = Self.press(&view, [.down])
    #expect(view.marked == "a1" && view.first == 0)
    _ = Self.press(&view, [.down, .down, .down])
    #expect(view.marked == "a4" && view.first == 1)
    _ = Self.press(&view, [.pageDown, .pageDown, .pageDown])
    #expect(view.marked == "a9" && view.first == 6)
    _ = Self.press(&view, [.home, .up])
    #expect(view.marked == "a1" && view.first == 0)
    _ = Self.press(&view, [.escape])
    #expect(view.marked == nil)
    #expect(view.press(.down, names: [], height: 3) == .redraw && view.marked == nil)
  }

  @Test func `Enter looks at the marked actor, and any key comes back`() {
    var view = TopView(order: .mailbox)
    #expect(Self.press(&view, [.down, .down, .enter]) == [.inspect("a2")])
    #expect(view.page == .actor("a2"))
    #expect(Self.press(&view, [.escape]) == [] && view.page == .table && view.marked == "a2")
    var fresh = TopView(order: .mailbox)
    #expect(Self.press(&fresh, [.enter]) == [.inspect("a1")])
    #expect(fresh.press(.enter, names: [], height: 3) == .redraw)
  }

  @Test func `a filter is typed behind a slash`() {
    var view = TopView(order: .mailbox)
    _ = Self.press(&view, [.character("/"), .character("q"), .character("m"), .backspace])
    #expect(view.isTyping && view.filter == "q" && view.order == .mailbox)
    _ = Self.press(&view, [.enter])
    #expect(!view.isTyping && view.filter == "q")
    #expect(Self.press(&view, [.character("/"), .escape]) == [] && view.filter == "" && !view.isTyping)
    #expect(Self.press(&view, [.character("/"), .interrupt]) == [.leave(.interrupted)])
  }

  @Test(arguments: [
    (TerminalKey.character("q"), TopView.Action.leave(.ok)), (.endOfInput, .leave(.ok)),
    (.interrupt, .leave(.interrupted)),
    (.suspend, .suspend),
  ])
  func `keys that leave do so on every page`(_ key: TerminalKey, _ action: TopView.Action) {
    for before in [[], [TerminalKey.character("?")], [.enter]] {
      var view = TopView(order: .rate)
      _ = Self.press(&view, before)
      #expect(Self.press(&view, [key]) == [action])
    }
  }

  @Test func `letters choose the order`() {
    var view = TopView(order: .mailbox)
    for (key, order) in [
      ("r", ActorOrder.rate), ("t", .time), ("f", .failures), ("s", .restarts), ("n", .name), ("m", .mailbox),
    ] {
      _ = Self.press(&view, [.character(Character(key))])
      #expect(view.order == order)
    }
    _ = Self.press(&view, [.character("?")])
    #expect(view.page == .help)
  }

  // MARK: The screen

  private static let actors: [JSONValue] = (1...30).map { number in
    [
      "name": .string("actor-\(number)"), "kind": "echo", "node": .string("n\(number % 3 + 1)"), "status": "running",
      "mailbox": .integer(Int64(100 - number)), "processed": 0, "failures": 0, "restarts": 0, "epoch": 1,
    ]
  }

  private static func screen(_ width: Int, _ height: Int, color: ColorMode = .never) -> TopScreen {
    TopScreen(
      namespace: "default", renderer: Renderer(format: .table, color: color, writer: Capture().writer), width: width,
      height: height)
  }

  private static func table(_ actors: [JSONValue] = actors) -> TopTable {
    var table = TopTable(window: .seconds(5))
    table.take(actors, at: MonotonicTime(nanoseconds: 0))
    var (first, third) = (PeerReport.example("n1"), PeerReport.example("n3"))
    (first.actors, first.mailbox) = (10, 0)
    (third.actors, third.mailbox) = (1, 312)
    table.take(peers: [first, .example("n2", .dead), third], at: MonotonicTime(nanoseconds: 0))
    return table
  }

  @Test(arguments: [(80, 24), (40, 10), (20, 6), (200, 60), (1, 1)])
  func `a screen is never larger than the terminal`(_ width: Int, _ height: Int) {
    let screen = Self.screen(width, height)
    for keys in [[], [TerminalKey.character("?")], [.character("/"), .character("1")], [.down, .enter]] {
      var view = TopView(order: .mailbox)
      for key in keys { _ = view.press(key, names: ["actor-1"], height: 3) }
      let lines = screen.lines(Self.table(), view, inspected: nil)
      #expect(lines.count <= max(height, 7), "\(lines)")
      if view.page == .table, width > 20 { #expect(lines.allSatisfy { TerminalText.width($0) <= width }, "\(lines)") }
    }
  }

  @Test func `the nodes stand above, those that are not well first`() {
    let lines = Self.screen(80, 24).lines(Self.table(), TopView(order: .mailbox), inspected: nil)
    #expect(lines[0] == "default   30 actors   2,535 waiting   0/s   0/s dead letters   by mailbox")
    #expect(lines[1] == "n2 dead   n3 1 actor, 312 waiting   n1 10 actors")
    #expect(lines[3].hasPrefix("  NAME") && lines[4].hasPrefix("  actor-1 ") && lines.count == 23)
    #expect(lines[22].hasPrefix("1-18 of 30   ? help"))
    #expect(Self.screen(24, 24).lines(Self.table(), TopView(order: .mailbox), inspected: nil)[1] == "n2 dead   +2 more")
  }

  @Test func `colour is only for what is wrong`() {
    let well = Self.screen(80, 24, color: .always).lines(Self.table(), TopView(order: .mailbox), inspected: nil)
    #expect(well[1].hasPrefix("\u{1B}[31mn2 dead\u{1B}[0m   n3 1 actor"))
    #expect(!well[4].contains("\u{1B}[3"), "\(well[4])")
    let ill = Self.table([["name": "a", "status": "restarting", "inHandSeconds": 30.0, "mailbox": 1]])
    let lines = Self.screen(80, 24, color: .always).lines(ill, TopView(order: .mailbox), inspected: nil)
    #expect(lines[4].contains("\u{1B}[33mrestarting") && lines[4].contains("\u{1B}[33m30s"), "\(lines[4])")
  }

  @Test func `the marked line is marked, and the filter is told`() {
    var view = TopView(order: .mailbox)
    let screen = Self.screen(80, 24)
    for key in [TerminalKey.character("/"), .character("2"), .enter, .down] {
      _ = view.press(key, names: screen.rows(Self.table(), view).map { Column.text($0["name"]) }, height: 18)
    }
    let lines = screen.lines(Self.table(), view, inspected: nil)
    #expect(lines[0].contains("of 30 actors") && lines[4].hasPrefix("> actor-") && lines[22].contains("/2   ? help"))
  }
}
