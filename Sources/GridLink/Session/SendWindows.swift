internal import DequeModule
internal import GridCore

/// How much a link may have under way to each target: the flow control that keeps one slow actor from stalling others.
///
/// A flow-controlled message is charged to its target's window when it is sent and credited when the receiver has put
/// it into the mailbox; beyond the window, messages are parked here, in order. Who sends them keeps within a window of
/// their own, so what is parked is bounded by the number of senders.
struct SendWindows {
  /// Bytes that may be under way to one target.
  static let bytesPerTarget = 1024 * 1024
  /// Bytes that may be parked on the whole link; beyond it senders are refused (`retry-later`).
  static let maximumParkedBytes = 64 * 1024 * 1024

  private struct Window {
    var underWay = 0
    var parked: Deque<Envelope> = []
  }

  private var windows: [String: Window] = [:]
  /// The window used last, out of the dictionary: a sender mostly sends to one target.
  private var hotTarget = ""
  private var hot = Window()
  private(set) var parkedBytes = 0

  enum Verdict: Equatable {
    case send
    case parked
    case full
  }

  /// Charges `envelope` to its window, or parks it.
  mutating func admit(_ envelope: Envelope) -> Verdict {
    let cost = envelope.message.cost
    return withWindow(envelope.target) { window, parkedBytes in
      if window.parked.isEmpty, window.underWay == 0 || window.underWay + cost <= Self.bytesPerTarget {
        window.underWay += cost
        return .send
      }
      guard parkedBytes + cost <= Self.maximumParkedBytes else { return .full }
      parkedBytes += cost
      window.parked.append(envelope)
      return .parked
    }
  }

  /// Charges `envelope` to its window when that is open, and does nothing otherwise. The last message may go over the
  /// window's edge.
  mutating func admitIfOpen(_ envelope: Envelope) -> Bool {
    withWindow(envelope.target) { window, _ in
      guard window.parked.isEmpty, window.underWay < Self.bytesPerTarget else { return false }
      window.underWay += envelope.message.cost
      return true
    }
  }

  /// Takes credit back and returns the parked messages that may go now, charged.
  mutating func credit(_ target: String, bytes: Int) -> [Envelope] {
    withWindow(target) { window, parkedBytes in
      window.underWay = max(0, window.underWay - bytes)
      var released: [Envelope] = []
      while let next = window.parked.first,
        window.underWay == 0 || window.underWay + next.message.cost <= Self.bytesPerTarget
      {
        window.underWay += next.message.cost
        parkedBytes -= next.message.cost
        released.append(next)
        window.parked.removeFirst()
      }
      return released
    }
  }

  /// Whether a sender that wants to keep within the window should wait before it sends more.
  func isOpen(_ target: String) -> Bool {
    guard let window = target == hotTarget ? hot : windows[target] else { return true }
    return window.parked.isEmpty && window.underWay < Self.bytesPerTarget
  }

  /// Everything parked, when the link has closed.
  mutating func takeParked() -> [Envelope] {
    defer { self = SendWindows() }
    return Array(hot.parked) + windows.values.flatMap(\.parked)
  }

  private mutating func withWindow<Result>(
    _ target: String, _ body: (inout Window, inout Int) -> Result
  ) -> Result {
    if target != hotTarget {
      if hot.underWay > 0 || !hot.parked.isEmpty { windows[hotTarget] = hot }
      hot = windows.removeValue(forKey: target) ?? Window()
      hotTarget = target
    }
    return body(&hot, &parkedBytes)
  }
}

/// Credit that the receiving side owes, summed until the next flush so that one frame serves many messages.
struct CreditLedger {
  private var lastTarget = ""
  private var lastBytes = 0
  private var others: [String: Int] = [:]

  mutating func add(_ target: String, bytes: Int) {
    if target != lastTarget {
      if lastBytes > 0 { others[lastTarget, default: 0] += lastBytes }
      lastTarget = target
      lastBytes = 0
    }
    lastBytes += bytes
  }

  var isEmpty: Bool { lastBytes == 0 && others.isEmpty }

  mutating func takeAll() -> [(target: String, bytes: Int)] {
    var owed = others.map { (target: $0.key, bytes: $0.value) }
    if lastBytes > 0 { owed.append((target: lastTarget, bytes: lastBytes)) }
    lastBytes = 0
    others = [:]
    return owed
  }
}
