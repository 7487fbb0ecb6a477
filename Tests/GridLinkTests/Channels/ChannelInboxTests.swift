internal import GridCore
internal import Testing

@testable internal import GridLink

/// What a reading end makes of parts, and what it grants for them.
@Suite struct ChannelInboxTests {
  private func part(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

  @Test func `parts become items, then comes the end`() {
    var inbox = ChannelInbox(window: 100_000)
    #expect(inbox.next() == .wait && !inbox.isReady)
    #expect(inbox.received([1], hasMore: true) == .nothing)
    #expect(inbox.received([2], hasMore: true) == .nothing)
    #expect(!inbox.isReady, "it has more")
    #expect(inbox.received([3], hasMore: false) == .nothing)
    #expect(inbox.received([], hasMore: false) == .nothing)
    inbox.end(GridError(.notFound, "x"))
    inbox.end(nil)
    #expect(inbox.received([4], hasMore: false) == .nothing)
    #expect(inbox.next() == .item([1, 2, 3], grant: 0))
    #expect(inbox.next() == .item([], grant: 0))
    #expect(inbox.next() == .ended(GridError(.notFound, "x")))
    #expect(inbox.next() == .ended(GridError(.notFound, "x")))
  }

  @Test func `credit comes back when a quarter of the window is free`() {
    var inbox = ChannelInbox(window: 1000)
    for _ in 0..<5 { #expect(inbox.received(part(36), hasMore: false) == .nothing) }
    #expect((0..<5).map { _ in inbox.next() }.map(Self.grant) == [0, 0, 300, 0, 0])
    #expect(Self.grant(inbox.next()) == nil)
  }

  private static func grant(_ step: ChannelInbox.Step) -> Int? {
    if case .item(_, let grant) = step { grant } else { nil }
  }

  @Test func `what is put together is granted at once, so an item may be longer than the window`() {
    var inbox = ChannelInbox(window: 100)
    #expect(inbox.received(part(90), hasMore: true) == .grant(154))
    #expect(inbox.received(part(90), hasMore: true) == .grant(154))
    #expect(inbox.received(part(90), hasMore: false) == .nothing)
    #expect(inbox.next() == .item(part(270), grant: 154))
  }

  @Test func `a writer that overdraws ends the channel`() {
    var inbox = ChannelInbox(window: 100)
    #expect(inbox.received(part(36), hasMore: false) == .nothing)
    guard case .violation(let error) = inbox.received(part(0), hasMore: false) else {
      Issue.record("no credit was left")
      return
    }
    #expect(error.code == .protocolMismatch)
    var other = ChannelInbox(window: 1 << 30)
    guard case .violation = other.received(part(ChannelLimits.partBytes + 1), hasMore: false) else {
      Issue.record("the part is too long")
      return
    }
  }

  @Test func `an item without end ends the channel`() {
    var inbox = ChannelInbox(window: 1 << 30)
    let whole = ChannelLimits.itemBytes / ChannelLimits.partBytes
    for _ in 0..<whole { #expect(inbox.received(part(ChannelLimits.partBytes), hasMore: true) == .nothing) }
    guard case .violation(let error) = inbox.received(part(ChannelLimits.partBytes), hasMore: true) else {
      Issue.record("it is too long")
      return
    }
    #expect(error.code == .undecodable)
  }

  @Test func `one answer is one item and the end, however long`() {
    var inbox = ChannelInbox(window: 1)
    inbox.answered(part(1000))
    #expect(inbox.next() == .item(part(1000), grant: 0))
    #expect(inbox.next() == .ended(nil))
  }
}
