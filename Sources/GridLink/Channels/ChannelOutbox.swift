internal import DequeModule
internal import GridCore

/// The writing ends of a link's channels: what waits at each, what credit it has, and whose turn it is. Pure.
///
/// ```
///          append, finish           credit, or nothing but the end to say
/// opened ────────────────▶ waiting ───────────────────────────────────────▶ in line ──its turn──▶ sent
///    └──────────────────────── cancelled by the reader: gone ◀───────────────┘
/// ```
struct ChannelOutbox {
  private struct End {
    /// Bytes that the reader still takes; below 0 by a part at most.
    var credit: Int
    var items: Deque<[UInt8]> = []
    /// Bytes of the first item that have left.
    var sent = 0
    /// Bytes of items that have not left.
    var waiting = 0
    /// What is said once the last item has left.
    var closing: Closing?
    var isInLine = false

    var isReady: Bool { items.isEmpty ? closing != nil : credit > 0 }
  }

  fileprivate enum Closing {
    case inGoodOrder
    case failed(GridError)
  }

  enum Verdict: Equatable {
    case queued
    /// As much waits as may.
    case full
    /// There is no such channel any more.
    case gone
  }

  /// What leaves in one round.
  struct Round {
    var frames: [LinkFrame] = []
    /// Channels at which no more waits than a writer may leave behind.
    var relieved: [UInt64] = []
    /// Channels whose end was said.
    var closed: [UInt64] = []
  }

  private var ends: [UInt64: End] = [:]
  /// Those that have something to send and may, each once.
  private var line: Deque<UInt64> = []

  var isEmpty: Bool { ends.isEmpty }
  /// Whether there is something for the next round.
  var isReady: Bool { !line.isEmpty }

  /// Opens the writing end of a channel that the reader has asked for. One with the number of an open channel, which no
  /// reader may use, changes nothing.
  mutating func open(_ number: UInt64, credit: Int) {
    guard ends[number] == nil else { return }
    ends[number] = End(credit: max(0, credit))
  }

  /// Whether less than `limit` bytes wait at a channel that is not over.
  func hasRoom(_ number: UInt64, limit: Int) -> Bool {
    guard let end = ends[number] else { return false }
    return end.closing == nil && end.waiting < limit
  }

  /// Queues an item when less than `limit` bytes wait.
  mutating func append(_ item: [UInt8], to number: UInt64, limit: Int) -> Verdict {
    guard let waiting = ends[number]?.waiting, ends[number]?.closing == nil else { return .gone }
    guard waiting < limit else { return .full }
    change(number) { end in
      end.items.append(item)
      end.waiting += item.count
    }
    return .queued
  }

  /// More bytes that the reader takes.
  mutating func grant(_ number: UInt64, bytes: Int) {
    change(number) { $0.credit = min($0.credit.addingClamped(max(0, bytes)), Int(Int32.max)) }
  }

  /// Ends a channel behind what waits. A second end changes nothing.
  mutating func finish(_ number: UInt64, _ error: GridError?) {
    change(number) { $0.closing = $0.closing ?? error.map { .failed($0) } ?? .inGoodOrder }
  }

  /// Ends a channel with an error in place of what waits, which the reader does not read.
  mutating func cut(_ number: UInt64, _ error: GridError) {
    change(number) { end in
      end.items = []
      (end.sent, end.waiting) = (0, 0)
      end.closing = end.closing ?? .failed(error)
    }
  }

  /// Forgets a channel, with what waits in it; false when there is none.
  mutating func drop(_ number: UInt64) -> Bool { ends.removeValue(forKey: number) != nil }

  private mutating func change(_ number: UInt64, _ body: (inout End) -> Void) {
    guard let index = ends.index(forKey: number) else { return }
    body(&ends.values[index])
    guard ends.values[index].isReady, !ends.values[index].isInLine else { return }
    ends.values[index].isInLine = true
    line.append(number)
  }

  /// The frames of one write: a turn for each in line, as long as there is room for `bytes`.
  mutating func round(_ bytes: Int = ChannelLimits.roundBytes) -> Round {
    var round = Round()
    var room = bytes
    while room > 0, let number = line.popFirst() {
      guard var end = ends.removeValue(forKey: number) else { continue }
      let before = end.waiting
      room -= Self.turn(of: number, &end, atMost: room, into: &round)
      if before >= ChannelLimits.sendBytes, end.waiting < ChannelLimits.sendBytes { round.relieved.append(number) }
      if end.items.isEmpty, let closing = end.closing {
        round.frames.append(closing.frame(number))
        round.closed.append(number)
        continue
      }
      end.isInLine = end.isReady
      if end.isReady { line.append(number) }
      ends[number] = end
    }
    return round
  }

  /// Takes parts of about one turn's bytes, and of the round what it has room for: more by one part at most. Turns are
  /// counted in bytes, so long items and short ones are served alike.
  private static func turn(
    of number: UInt64, _ end: inout End, atMost room: Int, into round: inout Round
  ) -> Int {
    let most = min(room, ChannelLimits.partBytes)
    var taken = 0
    while taken < most, end.credit > 0, let item = end.items.first {
      let left = item.count - end.sent
      let isLast = left <= ChannelLimits.partBytes
      let part = isLast && end.sent == 0 ? item : Array(item[end.sent...].prefix(ChannelLimits.partBytes))
      end.sent = isLast ? 0 : end.sent + part.count
      if isLast { end.items.removeFirst() }
      end.waiting -= part.count
      end.credit -= ChannelLimits.cost(part)
      taken += ChannelLimits.cost(part)
      round.frames.append(.data(number, part, hasMore: !isLast))
    }
    return taken
  }
}

extension ChannelOutbox.Closing {
  fileprivate func frame(_ number: UInt64) -> LinkFrame {
    switch self {
    case .inGoodOrder: .close(number, nil)
    case .failed(let error): .close(number, error)
    }
  }
}
