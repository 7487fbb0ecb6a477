internal import DequeModule
internal import GridCore

/// The reading end of a channel: items that wait to be taken, and what the writer may still send. Pure.
///
/// What waits here is bounded by the window, a part, and the one item that is being put together.
struct ChannelInbox {
  private struct Item {
    var bytes: [UInt8]
    /// What is granted again once it is taken.
    var cost: Int
  }

  private let window: Int
  /// What the writer may still send.
  private var allowance: Int
  /// Taken, and not yet granted again.
  private var owed = 0
  private var items: Deque<Item> = []
  /// The parts so far of an item that has more.
  private var partial: [UInt8] = []
  private var ending: Ending?

  private enum Ending {
    case inGoodOrder
    case failed(GridError)
  }

  enum Receipt: Equatable {
    case nothing
    /// Bytes to grant to the writer.
    case grant(Int)
    /// The writer does not keep to the rules: the channel is over.
    case violation(GridError)
  }

  enum Step: Equatable {
    /// An item, and bytes to grant to the writer; 0 for none.
    case item([UInt8], grant: Int)
    case wait
    case ended(GridError?)
  }

  /// - Parameter window: bytes that may be under way or wait here.
  init(window: Int) {
    self.window = max(1, window)
    allowance = self.window
  }

  /// Whether whoever takes items finds something: one, or the end.
  var isReady: Bool { !items.isEmpty || ending != nil }

  /// Takes a part in.
  mutating func received(_ part: [UInt8], hasMore: Bool) -> Receipt {
    guard ending == nil else { return .nothing }
    guard allowance > 0, part.count <= ChannelLimits.partBytes else {
      return .violation(GridError(.protocolMismatch, "more came over a channel than it has credit for"))
    }
    guard partial.count + part.count <= ChannelLimits.itemBytes else {
      return .violation(GridError(.undecodable, "an item has more than \(ChannelLimits.itemBytes) bytes"))
    }
    allowance -= ChannelLimits.cost(part)
    if hasMore {
      partial += part
      // An item may be longer than the window: what is put together does not wait to be taken.
      owed += ChannelLimits.cost(part)
      let grant = takeGrant()
      return grant > 0 ? .grant(grant) : .nothing
    }
    let whole = partial.isEmpty ? part : partial + part
    partial = []
    items.append(Item(bytes: whole, cost: ChannelLimits.cost(part)))
    return .nothing
  }

  /// The end, behind the items that wait. Only the first one counts.
  mutating func end(_ error: GridError?) {
    guard ending == nil else { return }
    ending = error.map { .failed($0) } ?? .inGoodOrder
    partial = []
  }

  /// The one item that there is, in place of a channel. It needs no credit.
  mutating func answered(_ item: [UInt8]) {
    guard ending == nil else { return }
    items.append(Item(bytes: item, cost: 0))
    end(nil)
  }

  /// The next item, or what there is instead of one.
  mutating func next() -> Step {
    if let item = items.popFirst() {
      owed += item.cost
      return .item(item.bytes, grant: ending == nil ? takeGrant() : 0)
    }
    switch ending {
    case nil: return .wait
    case .inGoodOrder: return .ended(nil)
    case .failed(let error): return .ended(error)
    }
  }

  /// Granted in a few large steps, so that no item costs a frame of its own.
  private mutating func takeGrant() -> Int {
    guard owed * 4 >= window else { return 0 }
    defer { owed = 0 }
    allowance += owed
    return owed
  }
}
