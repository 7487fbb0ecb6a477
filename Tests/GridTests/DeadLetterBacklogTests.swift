internal import GridCore
internal import Testing

@testable internal import Grid

/// Letters on their way to the log.
@Suite struct DeadLetterBacklogTests {
  private static func letter(_ text: String, bytes: Int = 0) -> UndeliveredMessage {
    UndeliveredMessage(
      target: "a", reason: .stopped, detail: "", sender: "",
      message: Message(body: [UInt8](repeating: 0, count: bytes), type: text),
      at: CalendarTime(millisecondsSince1970: 0))
  }

  private static let cost = letter("1").cost

  private func take(_ backlog: inout DeadLetterBacklog) -> ([String], Int) {
    let (letters, dropped) = backlog.takeBatch()
    return (letters.map(\.message.type), dropped)
  }

  @Test func `letters come out in order, batch by batch`() {
    var backlog = DeadLetterBacklog(
      room: DeadLetterCapacity(letters: 100, bytes: .max), batch: DeadLetterCapacity(letters: 2, bytes: .max))
    for number in 1...5 { backlog.add(Self.letter("\(number)")) }
    #expect(backlog.count == 5 && backlog.bytes == 5 * Self.cost)
    for expected in [["1", "2"], ["3", "4"], ["5"], []] { #expect(take(&backlog) == (expected, 0)) }
    #expect(backlog.bytes == 0)
  }

  @Test func `a batch has so many bytes, and one letter however large`() {
    var backlog = DeadLetterBacklog(
      room: DeadLetterCapacity(letters: 100, bytes: .max),
      batch: DeadLetterCapacity(letters: 100, bytes: 2 * Self.cost + 1))
    for (text, bytes) in [("huge", 5000), ("1", 0), ("2", 0), ("3", 0)] {
      backlog.add(Self.letter(text, bytes: bytes))
    }
    for expected in [["huge"], ["1", "2"], ["3"]] { #expect(take(&backlog) == (expected, 0)) }
  }

  @Test func `what there is no room for is dropped, oldest first, and told with the next batch`() {
    var backlog = DeadLetterBacklog(room: DeadLetterCapacity(letters: 2, bytes: .max))
    for number in 1...5 { backlog.add(Self.letter("\(number)")) }
    #expect(backlog.dropped == 3)
    #expect(take(&backlog) == (["4", "5"], 3))
    #expect(backlog.dropped == 0)
  }

  @Test func `one letter larger than the room is dropped itself`() {
    var backlog = DeadLetterBacklog(room: DeadLetterCapacity(letters: 9, bytes: 3 * Self.cost))
    backlog.add(Self.letter("1"))
    backlog.add(Self.letter("huge", bytes: 10_000))
    #expect(take(&backlog) == ([], 2))
    #expect(backlog.bytes == 0)
  }

  @Test func `what could not be written comes back in front, as far as there is room`() {
    var backlog = DeadLetterBacklog(room: DeadLetterCapacity(letters: 3, bytes: .max))
    for number in 1...4 { backlog.add(Self.letter("\(number)")) }
    let (letters, dropped) = backlog.takeBatch()
    #expect(letters.map(\.message.type) == ["2", "3", "4"] && dropped == 1)
    backlog.add(Self.letter("5"))
    backlog.putBack(letters, dropped: dropped)
    #expect(take(&backlog) == (["3", "4", "5"], 2))
  }
}

@Suite struct NameResolverTests {
  private func envelope(_ target: String, _ text: String = "x", deadline: Int64? = nil) -> Envelope {
    Envelope(
      target: target, message: Message(text),
      deadline: deadline.map { MonotonicTime(nanoseconds: $0) } ?? .distantFuture)
  }

  @Test func `the first asks, the others wait behind it until nobody is left`() {
    let resolver = NameResolver()
    #expect(!resolver.isResolving("a"))
    #expect(resolver.add(envelope("a", "1")) == .first)
    #expect(resolver.add(envelope("a", "2")) == .waits)
    #expect(resolver.add(envelope("b", "3")) == .first)
    #expect(resolver.isResolving("a"))
    #expect(resolver.take("a").map(\.message.text) == ["1", "2"])
    // What comes while those are delivered waits too, so that nothing is overtaken.
    #expect(resolver.isResolving("a"))
    #expect(resolver.add(envelope("a", "4")) == .waits)
    #expect(resolver.take("a").map(\.message.text) == ["4"])
    #expect(resolver.take("a").isEmpty)
    #expect(!resolver.isResolving("a") && resolver.isResolving("b"))
    #expect(resolver.add(envelope("a", "5")) == .first)
    #expect(resolver.take("nobody").isEmpty)
  }

  @Test func `a look-up lasts as long as somebody wants an answer`() {
    let resolver = NameResolver()
    #expect(resolver.lastDeadline("a") == nil)
    for deadline: Int64 in [5, 9, 7] { _ = resolver.add(envelope("a", deadline: deadline)) }
    #expect(resolver.lastDeadline("a") == MonotonicTime(nanoseconds: 9))
    _ = resolver.add(envelope("a"))
    #expect(resolver.lastDeadline("a") == .distantFuture)
  }

  @Test func `an actor takes what waits for its name, in order, before it appears`() {
    let resolver = NameResolver()
    for (target, text) in [("a", "1"), ("b", "other"), ("a", "2")] { _ = resolver.add(envelope(target, text)) }
    var course: [String] = []
    let hasAppeared = resolver.settle("a") { waiting in
      course.append(waiting.message.text)
      // One that comes meanwhile is behind those that were there.
      if waiting.message.text == "1" { _ = resolver.add(envelope("a", "3")) }
    } appear: {
      course.append("appears")
      return true
    }
    #expect(hasAppeared)
    #expect(course == ["1", "2", "3", "appears"])
    #expect(resolver.add(envelope("a", "4"), unless: { true }) == .appeared)
    #expect(resolver.take("a").isEmpty)
    #expect(resolver.take("b").map(\.message.text) == ["other"])
    #expect(!resolver.settle("c", deliver: { _ in }, appear: { false }))
  }

  @Test func `more than there is room for are refused, whatever they are for`() {
    let resolver = NameResolver()
    for number in 0..<NameResolver.capacity { _ = resolver.add(envelope("\(number % 7)")) }
    #expect(resolver.add(envelope("0")) == .full)
    #expect(resolver.add(envelope("new")) == .full)
    #expect(!resolver.isResolving("new"))
    let freed = resolver.take("0").count
    for _ in 0..<freed { #expect(resolver.add(envelope("new")) != .full) }
    #expect(resolver.add(envelope("new")) == .full)
  }
}
