internal import GridCore
internal import Testing

@testable internal import GridLink

/// What a writing end sends, frame by frame.
@Suite struct ChannelOutboxTests {
  private static let part = ChannelLimits.partBytes

  private func item(_ count: Int, _ byte: UInt8 = 1) -> [UInt8] { [UInt8](repeating: byte, count: count) }

  /// The rounds until nothing is ready, as `number:bytes`, with `+` behind parts that have more.
  private func sent(_ outbox: inout ChannelOutbox) -> [String] {
    var frames: [LinkFrame] = []
    while outbox.isReady { frames += outbox.round().frames }
    return frames.map { frame in
      switch frame {
      case .data(let number, let part, let hasMore): "\(number):\(part.count)\(hasMore ? "+" : "")"
      case .close(let number, let error): "\(number) \(error?.code.label ?? "closed")"
      default: "\(frame)"
      }
    }
  }

  @Test func `items leave in order, and the end behind them`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 1000)
    for size in [3, 0, 5] { #expect(outbox.append(item(size), to: 1, limit: 100) == .queued) }
    outbox.finish(1, nil)
    #expect(outbox.append(item(1), to: 1, limit: 100) == .gone, "it is over for writers")
    #expect(sent(&outbox) == ["1:3", "1:0", "1:5", "1 closed"])
    #expect(outbox.isEmpty)
  }

  @Test func `a writer stops when its credit is used up and goes on with more`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 65)
    for _ in 0..<3 { _ = outbox.append(item(10), to: 1, limit: 100) }
    #expect(sent(&outbox) == ["1:10"], "74 of 65 are used")
    outbox.grant(1, bytes: 9)
    #expect(!outbox.isReady)
    outbox.grant(1, bytes: 1)
    #expect(sent(&outbox) == ["1:10"])
    outbox.grant(1, bytes: .max)
    outbox.grant(1, bytes: .max)
    outbox.grant(1, bytes: -5)
    #expect(sent(&outbox) == ["1:10"])
  }

  @Test func `a channel that is cut says so at once, and drops what waits`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 1)
    for _ in 0..<3 { _ = outbox.append(item(10), to: 1, limit: 100) }
    #expect(sent(&outbox) == ["1:10"])
    outbox.cut(1, GridError(.retryLater, "it reads nothing"))
    #expect(outbox.append(item(1), to: 1, limit: 100) == .gone)
    #expect(sent(&outbox) == ["1 retry-later"])
    #expect(outbox.isEmpty)
  }

  @Test func `the end needs no credit, but waits for what is before it`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 0)
    outbox.open(2, credit: 0)
    _ = outbox.append(item(1), to: 1, limit: 100)
    outbox.finish(1, GridError(.failed, "x"))
    outbox.finish(2, GridError(.notFound, "y"))
    outbox.finish(2, nil)
    #expect(sent(&outbox) == ["2 not-found"])
    outbox.grant(1, bytes: 1)
    #expect(sent(&outbox) == ["1:1", "1 failed"])
  }

  @Test func `a long item goes in parts, within the credit`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 2 * Self.part)
    _ = outbox.append(item(2 * Self.part + 1), to: 1, limit: 1)
    #expect(sent(&outbox) == ["1:\(Self.part)+", "1:\(Self.part)+"])
    outbox.grant(1, bytes: 129)
    #expect(sent(&outbox) == ["1:1"])
  }

  @Test func `channels take turns by bytes, whatever the size of their items`() {
    var outbox = ChannelOutbox()
    for number in 1...3 as ClosedRange<UInt64> { outbox.open(number, credit: 1 << 30) }
    for _ in 0..<4000 { _ = outbox.append(item(192), to: 1, limit: .max) }
    _ = outbox.append(item(1 << 20), to: 2, limit: .max)
    for _ in 0..<1000 { _ = outbox.append(item(1000), to: 3, limit: .max) }
    var bytes: [UInt64: Int] = [:]
    for _ in 0..<3 {
      for case .data(let number, let part, _) in outbox.round(3 * Self.part).frames {
        bytes[number, default: 0] += ChannelLimits.cost(part)
      }
    }
    for number in 1...3 as ClosedRange<UInt64> {
      #expect(abs((bytes[number] ?? 0) - 3 * Self.part) <= 3 * 1100, "\(number): \(bytes)")
    }
  }

  @Test func `as much waits as was said, and writers hear when there is room`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 1 << 30)
    let limit = ChannelLimits.sendBytes
    #expect(outbox.append(item(limit - 1), to: 1, limit: limit) == .queued)
    #expect(outbox.hasRoom(1, limit: limit))
    #expect(outbox.append(item(limit), to: 1, limit: limit) == .queued, "one item may go over it")
    #expect(outbox.append(item(1), to: 1, limit: limit) == .full)
    #expect(!outbox.hasRoom(1, limit: limit))
    #expect(outbox.round(Self.part).relieved.isEmpty)
    #expect(outbox.round(2 * Self.part).relieved == [1])
    #expect(outbox.append(item(1), to: 1, limit: limit) == .queued)
  }

  @Test func `a channel that is given up is forgotten, and unknown ones change nothing`() {
    var outbox = ChannelOutbox()
    outbox.open(1, credit: 100)
    outbox.open(2, credit: 100)
    outbox.open(2, credit: 0)
    for number in [1, 2] as [UInt64] { _ = outbox.append(item(1), to: number, limit: 100) }
    #expect(outbox.drop(1) && !outbox.drop(1))
    outbox.grant(9, bytes: 5)
    outbox.finish(9, nil)
    #expect(outbox.append(item(1), to: 1, limit: 100) == .gone)
    #expect(outbox.append(item(1), to: 9, limit: 100) == .gone)
    #expect(sent(&outbox) == ["2:1"])
  }
}
