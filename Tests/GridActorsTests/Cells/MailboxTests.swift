import GridCore
import Testing

@testable import GridActors

/// The queue in front of an actor, message by message.
@Suite struct MailboxTests {
  private enum Result: Equatable {
    case queued, waits, full, dropped
    case displaced(String)
  }

  private static func envelope(
    _ text: String, _ expectation: Envelope.Expectation = .nothing, waits: Bool = false, bytes: Int? = nil
  ) -> Envelope {
    let message = bytes.map { Message(body: [UInt8](repeating: 0, count: $0), type: text) } ?? Message("", type: text)
    return Envelope(target: "a", message: message, expectation: expectation, waitsForRoom: waits)
  }

  private static func admit(_ mailbox: inout Mailbox, _ envelope: Envelope, _ options: MailboxOptions) -> Result {
    switch mailbox.admit(envelope, options: options) {
    case .queued: .queued
    case .waits: .waits
    case .full(let back): back.message.type == envelope.message.type ? .full : .displaced("?")
    case .dropped(let back): back.message.type == envelope.message.type ? .dropped : .displaced("?")
    case .displaced(let oldest): .displaced(oldest.message.type)
    }
  }

  private static func options(_ policy: OverflowPolicy, capacity: Int = 2, bytes: Int = 1 << 20) -> MailboxOptions {
    MailboxOptions(capacity: capacity, maximumBytes: bytes, overflow: policy)
  }

  private static func take(
    _ mailbox: inout Mailbox, one: Bool = false, _ options: MailboxOptions
  ) -> (batch: [String], admitted: [String]) {
    var batch = EnvelopeQueue()
    let admitted = mailbox.takeBatch(into: &batch, takesOne: one, options: options)
    return (batch.removeAll().map(\.message.type), admitted.map(\.message.type))
  }

  // MARK: A full one

  /// What becomes of a message that finds two in a mailbox of two.
  private static let fullTable: [(OverflowPolicy, Envelope.Expectation, waits: Bool, Result)] = [
    (.reject, .nothing, false, .full), (.reject, .acceptance, false, .full), (.reject, .reply, false, .full),
    (.dropNewest, .nothing, false, .dropped), (.dropNewest, .acceptance, false, .dropped),
    (.dropNewest, .reply, false, .dropped), (.dropOldest, .nothing, false, .displaced("1")),
    (.dropOldest, .acceptance, false, .displaced("1")), (.dropOldest, .reply, false, .displaced("1")),
    // Where the policy is to wait, everybody waits: who is told what became of it, and who is not.
    (.block, .nothing, false, .waits), (.block, .acceptance, false, .waits), (.block, .reply, false, .waits),
    // Senders with a window wait whatever the policy is.
    (.reject, .nothing, true, .waits), (.dropNewest, .acceptance, true, .waits), (.dropOldest, .reply, true, .waits),
    (.block, .nothing, true, .waits),
  ]

  @Test(arguments: fullTable.indices)
  func `a full mailbox does what its policy says`(_ index: Int) {
    let (policy, expectation, waits, expected) = Self.fullTable[index]
    let options = Self.options(policy)
    var mailbox = Mailbox()
    for text in ["1", "2"] { #expect(Self.admit(&mailbox, Self.envelope(text), options) == .queued) }
    #expect(Self.admit(&mailbox, Self.envelope("3", expectation, waits: waits), options) == expected)
    #expect(mailbox.depth == 2)
    #expect(mailbox.hasWaiting == (expected == .waits))
    let (batch, admitted) = Self.take(&mailbox, one: false, options)
    switch expected {
    case .displaced: #expect(batch == ["2", "3"] && admitted == [])
    // Its room is that of the batch, which is being handled.
    default: #expect(batch == ["1", "2"] && admitted == [])
    }
    #expect(mailbox.handled(butFor: 0, options: options).map(\.message.type) == (expected == .waits ? ["3"] : []))
  }

  @Test(arguments: OverflowPolicy.allCases)
  func `bytes fill a mailbox as messages do, but for one that is alone`(_ policy: OverflowPolicy) {
    let options = Self.options(policy, capacity: 100, bytes: 1000)
    var mailbox = Mailbox()
    #expect(Self.admit(&mailbox, Self.envelope("huge", bytes: 5000), options) == .queued)
    let second = Self.admit(&mailbox, Self.envelope("small"), options)
    switch policy {
    case .reject: #expect(second == .full)
    case .dropNewest: #expect(second == .dropped)
    case .dropOldest: #expect(second == .displaced("huge"))
    case .block: #expect(second == .waits)
    }
  }

  @Test func `of messages that nobody waits for as many wait as the mailbox holds`() {
    let options = Self.options(.block)
    var mailbox = Mailbox()
    let results = (1...6).map { Self.admit(&mailbox, Self.envelope("\($0)"), options) }
    #expect(results == [.queued, .queued, .waits, .waits, .full, .full])
    // Whoever is told what becomes of the message waits behind them.
    #expect(Self.admit(&mailbox, Self.envelope("told", .acceptance), options) == .waits)
    #expect(Self.take(&mailbox, options).batch == ["1", "2"])
    #expect(mailbox.handled(butFor: 0, options: options).map(\.message.type) == ["3", "4"])
    #expect(Self.take(&mailbox, options).batch == ["3", "4"])
    #expect(mailbox.handled(butFor: 0, options: options).map(\.message.type) == ["told"])
  }

  @Test func `so many bytes wait as the mailbox holds, of those who have no window`() {
    let options = Self.options(.block, capacity: 1, bytes: 1000)
    var mailbox = Mailbox()
    #expect(Self.admit(&mailbox, Self.envelope("1", .reply, bytes: 600), options) == .queued)
    #expect(Self.admit(&mailbox, Self.envelope("2", .reply, bytes: 600), options) == .waits)
    #expect(Self.admit(&mailbox, Self.envelope("3", .reply, bytes: 600), options) == .full)
    #expect(Self.admit(&mailbox, Self.envelope("4", .reply, waits: true, bytes: 600), options) == .waits)
    #expect(Self.take(&mailbox, options).batch == ["1"])
    #expect(mailbox.handled(butFor: 0, options: options).map(\.message.type) == ["2"])
  }

  @Test func `with all in the hands of the handler there is no oldest to displace`() {
    let options = Self.options(.dropOldest)
    var mailbox = Mailbox()
    for text in ["1", "2"] { _ = Self.admit(&mailbox, Self.envelope(text), options) }
    #expect(Self.take(&mailbox, options).batch == ["1", "2"])
    #expect(Self.admit(&mailbox, Self.envelope("3"), options) == .queued)
    #expect(Self.admit(&mailbox, Self.envelope("4"), options) == .displaced("3"))
  }

  // MARK: Order, and what is owed

  @Test func `what waits is not overtaken`() {
    let options = Self.options(.reject)
    var mailbox = Mailbox()
    for text in ["1", "2"] { _ = Self.admit(&mailbox, Self.envelope(text), options) }
    #expect(Self.admit(&mailbox, Self.envelope("3", waits: true), options) == .waits)
    var batch = EnvelopeQueue()
    _ = mailbox.takeBatch(into: &batch, takesOne: true, options: options)
    #expect(mailbox.handled(butFor: 0, options: options).map(\.message.type) == ["3"])
    #expect(Self.take(&mailbox, options).batch == ["2", "3"])
  }

  @Test(arguments: [Envelope.Expectation.nothing, .acceptance, .reply])
  func `what is in the mailbox owes a reply only`(_ expectation: Envelope.Expectation) {
    let options = Self.options(.reject)
    var mailbox = Mailbox()
    var envelope = Self.envelope("1", expectation, waits: true)
    envelope.deadline = MonotonicTime(nanoseconds: 9)
    _ = mailbox.admit(envelope, arrival: 77, options: options)
    #expect(mailbox.oldestArrival == 77)
    var batch = EnvelopeQueue()
    _ = mailbox.takeBatch(into: &batch, takesOne: false, options: options)
    let taken = batch.popFirst()
    #expect(taken?.expectation == (expectation == .reply ? .reply : .nothing))
    #expect(taken?.waitsForRoom == false && taken?.arrival == 77)
    #expect(taken?.deadline == (expectation == .acceptance ? .distantFuture : MonotonicTime(nanoseconds: 9)))
  }

  @Test func `a tell that had to wait may be too late`() {
    let options = Self.options(.block, capacity: 1)
    var mailbox = Mailbox()
    _ = Self.admit(&mailbox, Self.envelope("1"), options)
    var late = Self.envelope("2", .acceptance)
    late.deadline = MonotonicTime(nanoseconds: 9)
    #expect(Self.admit(&mailbox, late, options) == .waits)
    _ = Self.take(&mailbox, options)
    _ = mailbox.handled(butFor: 0, options: options)
    var batch = EnvelopeQueue()
    _ = mailbox.takeBatch(into: &batch, takesOne: false, options: options)
    #expect(batch.popFirst()?.deadline == MonotonicTime(nanoseconds: 9))
  }

  // MARK: Programs

  @Test func `what a program has not read is mail, and comes back first`() {
    let options = Self.options(.reject, capacity: 3)
    var mailbox = Mailbox()
    for text in ["1", "2", "3"] { _ = Self.admit(&mailbox, Self.envelope(text), options) }
    for _ in 0..<2 {
      var batch = EnvelopeQueue()
      _ = mailbox.takeBatch(into: &batch, takesOne: true, options: options)
      mailbox.lend()
    }
    #expect(mailbox.lent == 2 && mailbox.inHand == 0 && mailbox.depth == 3)
    #expect(Self.admit(&mailbox, Self.envelope("4"), options) == .full)
    #expect(Self.admit(&mailbox, Self.envelope("4", waits: true), options) == .waits)
    #expect(mailbox.read(1, options: options).map(\.message.type) == ["4"])
    mailbox.giveBack([Self.envelope("2")])
    #expect(mailbox.lent == 0 && mailbox.depth == 3)
    #expect(Self.take(&mailbox, options).batch == ["2", "3", "4"])
    // More than was lent is nothing to it.
    #expect(mailbox.read(5, options: options).isEmpty && mailbox.lent == 0)
  }

  @Test func `an unfinished batch comes back in front of what came since`() {
    let options = Self.options(.reject, capacity: 5)
    var mailbox = Mailbox()
    for text in ["1", "2", "3"] { _ = Self.admit(&mailbox, Self.envelope(text), options) }
    var batch = EnvelopeQueue()
    _ = mailbox.takeBatch(into: &batch, takesOne: false, options: options)
    _ = batch.popFirst()
    guard let first = batch.popFirst() else { return }
    _ = Self.admit(&mailbox, Self.envelope("4"), options)
    mailbox.putBack(&batch, first: first)
    #expect(mailbox.inHand == 0 && mailbox.depth == 3)
    #expect(mailbox.takeAll().map(\.message.type) == ["2", "3", "4"])
    #expect(mailbox.isEmpty && mailbox.depth == 0 && !mailbox.hasWaiting)
  }

  // MARK: Any order

  /// Every message is somewhere, in order of its coming, whatever happens.
  @Test(arguments: OverflowPolicy.allCases, 0..<25)
  func `nothing is lost and nothing is twice`(_ policy: OverflowPolicy, _ seed: Int) {
    var generator = SeededGenerator(state: UInt64(seed))
    let options = Self.options(policy, capacity: Int.random(in: 1...6, using: &generator), bytes: 2000)
    var mailbox = Mailbox()
    var (sent, handled, refused, hand, windowed) = (0, [Int](), [Int](), [Int](), Set<Int>())
    for _ in 0..<400 {
      switch Int.random(in: 0..<5, using: &generator) {
      case 0..<3:
        sent += 1
        let expectation = [Envelope.Expectation.nothing, .acceptance, .reply].randomElement(using: &generator)
        let envelope = Self.envelope(
          "\(sent)", expectation ?? .nothing, waits: Bool.random(using: &generator),
          bytes: Int.random(in: 0...700, using: &generator))
        if envelope.waitsForRoom { windowed.insert(sent) }
        switch Self.admit(&mailbox, envelope, options) {
        case .queued, .waits: break
        case .full, .dropped: refused.append(sent)
        case .displaced(let oldest): refused.append(Int(oldest) ?? -1)
        }
      case 3 where hand.isEmpty:
        let (batch, _) = Self.take(&mailbox, one: Bool.random(using: &generator), options)
        hand = batch.compactMap { Int($0) }
        #expect(mailbox.inHand == hand.count)
      default:
        handled += hand
        hand = []
        _ = mailbox.handled(butFor: 0, options: options)
      }
      #expect(mailbox.depth <= options.capacity + 1)
    }
    let rest = hand + mailbox.takeAll().compactMap { Int($0.message.type) }
    #expect(Set(handled + refused + rest) == Set(1..<(sent + 1)))
    #expect(handled.count + refused.count + rest.count == sent)
    // Who has a window and who has none are two senders.
    for isWindowed in [true, false] {
      let order = (handled + rest).filter { windowed.contains($0) == isWindowed }
      #expect(order == order.sorted(), "seed \(seed)")
    }
  }
}
