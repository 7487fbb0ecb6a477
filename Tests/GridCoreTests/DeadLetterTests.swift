internal import GridCore
internal import Testing

@Suite struct DeadLetterFolderTests {
  private func letter(
    _ target: String, at milliseconds: Int64, _ reason: DeadLetter.Reason = .noSuchActor, count: Int = 1,
    text: String = "x"
  ) -> DeadLetter {
    DeadLetter(
      identifier: "\(milliseconds)", at: CalendarTime(millisecondsSince1970: milliseconds), reason: reason,
      target: target, sender: "", node: "n1", message: Message(text), count: count)
  }

  private func time(_ milliseconds: Int64) -> CalendarTime { CalendarTime(millisecondsSince1970: milliseconds) }

  @Test func `few letters are shown one by one and in order of time`() {
    var folder = DeadLetterFolder(shownPerSecond: 3)
    folder.add(letter("b", at: 2))
    folder.add(letter("a", at: 1))
    #expect(!folder.isFolding)
    #expect(folder.take(at: time(5)).map(\.target) == ["a", "b"])
    #expect(folder.take(at: time(5)).isEmpty)
  }

  @Test func `beyond the limit of a second letters are counted on one with the latest message`() {
    var folder = DeadLetterFolder(shownPerSecond: 2)
    for number in 0..<10 { folder.add(letter("a", at: Int64(number), text: "\(number)")) }
    folder.add(letter("a", at: 3, .mailboxFull))
    #expect(folder.isFolding)
    #expect(folder.take(at: time(999)).map(\.count) == [1, 1, 1], "the second is not over")
    let folded = folder.take(at: time(1000))
    #expect(folded.map(\.count) == [8])
    #expect(folded.first?.message.text == "9")
    #expect(!folder.isFolding)
  }

  @Test func `a new second shows letters again and brings the count out`() {
    var folder = DeadLetterFolder(shownPerSecond: 1)
    for at in [0, 1, 2, 1000, 1001] as [Int64] { folder.add(letter("a", at: at)) }
    #expect(folder.take(at: time(1500)).map(\.count) == [1, 2, 1])
    #expect(folder.take(isClosing: true, at: time(1500)).map(\.count) == [1])
  }

  @Test func `storms beyond the limit are counted together`() {
    var folder = DeadLetterFolder(shownPerSecond: 0, maximumStorms: 2)
    for target in ["a", "b", "c", "d", "a"] { folder.add(letter(target, at: 0)) }
    let counts = Dictionary(
      folder.take(isClosing: true, at: time(0)).map { ($0.target, $0.count) }, uniquingKeysWith: +)
    #expect(counts == ["a": 2, "b": 1, "*": 2])
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `the total of a storm is exact`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var folder = DeadLetterFolder(
      shownPerSecond: Int.random(in: 0...5, using: &generator), maximumStorms: Int.random(in: 1...6, using: &generator))
    var sent = 0
    var shown = 0
    var now: Int64 = 1_700_000_000_000
    for _ in 0..<Int.random(in: 1...400, using: &generator) {
      // The calendar clock may step back.
      now += Int64.random(in: -300...600, using: &generator)
      let count = Int.random(in: 1...3, using: &generator)
      sent += count
      let reason = DeadLetter.Reason.allCases.randomElement(using: &generator) ?? .refused
      folder.add(letter("t\(Int.random(in: 0...4, using: &generator))", at: now, reason, count: count))
      if Int.random(in: 0...20, using: &generator) == 0 {
        shown += folder.take(at: time(now)).reduce(0) { $0 + $1.count }
      }
    }
    shown += folder.take(isClosing: true, at: time(now)).reduce(0) { $0 + $1.count }
    #expect(shown == sent, "seed \(seed)")
    #expect(!folder.isFolding)
  }
}

@Suite struct DeadLetterFilterTests {
  private let letter = DeadLetter(
    identifier: "1", at: CalendarTime(millisecondsSince1970: 1000), reason: .deadline, target: "order-7", sender: "",
    node: "n1", message: Message("x"))

  @Test func `no condition matches all, every condition must hold`() {
    #expect(DeadLetterFilter().matches(letter))
    #expect(DeadLetterFilter(reasons: [.stopped, .deadline]).matches(letter))
    #expect(!DeadLetterFilter(reasons: [.stopped]).matches(letter))
    #expect(DeadLetterFilter(target: "order-*").matches(letter))
    #expect(!DeadLetterFilter(target: "order").matches(letter))
    #expect(DeadLetterFilter(since: CalendarTime(millisecondsSince1970: 1000)).matches(letter))
    #expect(!DeadLetterFilter(since: CalendarTime(millisecondsSince1970: 1001)).matches(letter))
    #expect(!DeadLetterFilter(reasons: [.deadline], target: "x").matches(letter))
    #expect(DeadLetterFilter(limit: 0).matches(letter), "a limit is no condition")
  }

  @Test(arguments: [Int.max, .max - 1, -1, .min])
  func `how long a body is said to be ends nobody`(_ bodyBytes: Int) throws {
    let json = letter.json.with("bodyBytes", .integer(Int64(bodyBytes)))
    var letter = try DeadLetter(json: json)
    letter.bodyBytes = bodyBytes
    #expect(letter.cost >= letter.costBesideBody)
    var page = DeadLetterPage()
    var room = 1000
    #expect(page.take(letter, DeadLetterQuery(bodyLimit: 0), room: &room))
    #expect(room == 1000 - letter.costBesideBody)
  }
}
