internal import FoundationEssentials
internal import Synchronization

/// The newest revision of the store that was heard of: what has a larger one happened later.
final class RevisionMark: Sendable {
  private let newest = Atomic<Int64>(0)

  var value: Int64 { newest.load(ordering: .acquiring) }

  /// The store counts anew.
  func reset() { newest.store(0, ordering: .releasing) }

  func heard(_ revision: Int64) { newest.max(revision, ordering: .acquiringAndReleasing) }
}

/// Which keys transactions of ours are writing at the moment. Two that overlap in time and in a key cannot be told
/// apart by what they leave.
final class WritesInProgress: Sendable {
  /// One transaction's part in it.
  struct Ticket: Sendable {
    fileprivate var number: Int
    fileprivate var keys: Set<Data>
  }

  private struct State {
    var next = 0
    var writers: [Data: Set<Int>] = [:]
    /// Tickets that shared a key with another at some time.
    var shared: Set<Int> = []
  }

  private let state = Mutex(State())

  func begin(_ keys: Set<Data>) -> Ticket {
    state.withLock { state in
      let number = state.next
      state.next += 1
      for key in keys {
        let others = state.writers[key] ?? []
        if !others.isEmpty { state.shared.formUnion(others.union([number])) }
        state.writers[key] = others.union([number])
      }
      return Ticket(number: number, keys: keys)
    }
  }

  func isShared(_ ticket: Ticket) -> Bool { state.withLock { $0.shared.contains(ticket.number) } }

  func end(_ ticket: Ticket) {
    state.withLock { state in
      state.shared.remove(ticket.number)
      for key in ticket.keys {
        state.writers[key]?.remove(ticket.number)
        if state.writers[key]?.isEmpty == true { state.writers[key] = nil }
      }
    }
  }
}
