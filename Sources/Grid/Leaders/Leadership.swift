internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// A leadership that this node holds, for itself or for a client.
final class Leadership: Sendable {
  let name: String
  /// Larger than that of every earlier leader of the name: hand it to whatever the leader writes to.
  let token: Int64
  let holder: String
  /// Open once the leadership has ended, in whatever way.
  let ended = Latch()
  /// Open once somebody asked the leader to give up.
  let resignRequested = Latch()
  private let reason = Mutex<GridError?>(nil)

  init(name: String, token: Int64, holder: String) {
    self.name = name
    self.token = token
    self.holder = holder
  }

  /// Why it ended against the holder's will; nil while it lasts, or when it was given up.
  var loss: GridError? { reason.withLock { $0 } }

  func end(_ error: GridError?) {
    reason.withLock { reason in
      if !ended.isOpen, reason == nil { reason = error }
    }
    ended.open()
  }
}

/// The leaderships of this node by name.
final class LeaderOffice: Sendable {
  private let held = Mutex<[String: Leadership]>([:])

  subscript(name: String) -> Leadership? { held.withLock { $0[name] } }

  var all: [Leadership] { held.withLock { Array($0.values) } }

  func add(_ leadership: Leadership) {
    let replaced = held.withLock { $0.updateValue(leadership, forKey: leadership.name) }
    replaced?.end(GridError(.leaseLost, "the leadership of \(leadership.name) passed on"))
  }

  func remove(_ leadership: Leadership, _ reason: GridError?) {
    held.withLock { held in
      if held[leadership.name] === leadership { held[leadership.name] = nil }
    }
    leadership.end(reason)
  }

  /// Ends all of them, when the lease that held them is gone.
  func endAll(_ reason: GridError) {
    let ended = held.withLock { held in
      defer { held = [:] }
      return held.values
    }
    for leadership in ended { leadership.end(reason) }
  }
}
