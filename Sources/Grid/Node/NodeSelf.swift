internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Synchronization

/// What a node is to others: its name, which it has once it has joined, where it listens, and what it offers.
final class NodeSelf: Sendable {
  private struct Identity {
    var name = ""
    var incarnation: Int64 = 0
    var address = ""
  }

  let namespace: String
  let labels: [String: String]
  /// Sorted.
  let kinds: [String]
  let startedAt: MonotonicTime
  let leave: LeaveRequest
  private let clock: any GridClock
  private let identity = Mutex(Identity())

  init(namespace: String, labels: [String: String], kinds: [String], leave: LeaveRequest, clock: any GridClock) {
    self.namespace = namespace
    self.labels = labels
    self.kinds = kinds
    self.leave = leave
    self.clock = clock
    startedAt = clock.now()
  }

  var name: String { identity.withLock { $0.name } }
  var incarnation: Int64 { identity.withLock { $0.incarnation } }
  var address: String { identity.withLock { $0.address } }

  /// Its name and incarnation as they belong together.
  var presence: (name: String, incarnation: Int64) { identity.withLock { ($0.name, $0.incarnation) } }

  func listens(at address: String) { identity.withLock { $0.address = address } }

  /// Peers dial as soon as the record is there: by then the greeting must have the name.
  func isAboutToJoin(as name: String) { identity.withLock { $0.name = name } }

  func joined(_ record: NodeRecord) {
    identity.withLock { identity in
      identity.name = record.name
      identity.incarnation = record.incarnation
    }
  }

  var greeting: LinkGreeting {
    let identity = identity.withLock { $0 }
    return LinkGreeting(
      namespace: namespace, role: .node, name: identity.name, incarnation: identity.incarnation,
      address: identity.address, version: GridVersion.current)
  }

  /// As which it joins; the store gives it its incarnation.
  func record(_ name: String) -> NodeRecord {
    NodeRecord(
      name: name, address: address, incarnation: 0, version: GridVersion.current, labels: labels, kinds: kinds,
      startedAt: clock.date())
  }

  /// Why this node does nothing of what is asked at the moment; `what` says what was not done.
  func notServing(_ what: String, cause: GridError? = nil) -> GridError {
    let isLeaving = leave.isRequested
    let reason = isLeaving ? "leaves the cluster" : "is no member of the cluster at the moment"
    return GridError(
      .notServing, "node \(name) \(reason): \(what)",
      hint: isLeaving ? "ask another node" : "try again soon, or ask another node",
      cause: cause?.code == .cancelled ? nil : cause?.description)
  }
}

/// Opens when a node is to leave, and when it is not to wait for anything meanwhile.
struct LeaveRequest: Sendable {
  let requested: Latch
  let hurry = Latch()

  var isRequested: Bool { requested.isOpen }
}
