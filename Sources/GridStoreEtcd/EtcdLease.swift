internal import GRPCCore
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

/// Keeps one lease alive, and says as soon as it is not.
///
/// What etcd 3.4 answers to a keep-alive is not to be believed alone: it confirms leases that were revoked, and deletes
/// live ones when a paused leader resumes. So each renewal also reads, with a linearizable read, one of the keys that
/// the lease owns; a lease whose key is gone is lost, whatever else is said.
final class EtcdLease: Sendable {
  let identifier: Int64
  let timeToLive: Duration
  private let observer: any LeaseObserver
  private let cluster: EtcdCluster
  private let mapping: EtcdMapping
  private let clock: any GridClock
  private let grantSentAt: MonotonicTime
  private let state: Mutex<State>

  private struct State {
    /// Until when it certainly lives.
    var validUntil: MonotonicTime
    /// Keys that were put under it and not deleted since, by their creation.
    var keys: Set<String> = []
    var isEnded = false
  }

  init(
    identifier: Int64, timeToLive: Duration, grantSentAt: MonotonicTime, observer: any LeaseObserver,
    cluster: EtcdCluster, mapping: EtcdMapping, clock: any GridClock
  ) {
    self.identifier = identifier
    self.timeToLive = timeToLive
    self.observer = observer
    self.cluster = cluster
    self.mapping = mapping
    self.clock = clock
    self.grantSentAt = grantSentAt
    state = Mutex(State(validUntil: grantSentAt + timeToLive))
  }

  /// Notes what a transaction that was carried out did to the lease's keys.
  func carriedOut(_ operations: [StoreOperation]) {
    state.withLock { state in
      for operation in operations {
        switch operation {
        case .put(let key, _, let lease):
          if lease == identifier { state.keys.insert(key) } else { state.keys.remove(key) }
        case .delete(let key): state.keys.remove(key)
        case .get: break
        }
      }
    }
  }

  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// Ends it without telling the observer: whoever owns it wants it.
  func end() { state.withLock { $0.isEnded = true } }

  /// Tells the observer of the loss, once.
  func lose(_ reason: GridError) {
    let isNews = state.withLock { state in
      defer { state.isEnded = true }
      return !state.isEnded
    }
    if isNews { observer.leaseLost(reason) }
  }

  /// Renews until the lease has ended or the task is cancelled.
  func run() async {
    observer.leaseRenewed(sentAt: grantSentAt)
    let interval = timeToLive / 3
    var pause = interval
    while !Task.isCancelled, !isEnded {
      try? await Task.sleep(for: pause)
      if Task.isCancelled || isEnded { return }
      pause = await renew() ? interval : .milliseconds(100)
      let remaining = state.withLock { $0.validUntil } - clock.now()
      if remaining <= .zero {
        lose(GridError(.leaseLost, "the lease could not be renewed for \(timeToLive.gridText)"))
      } else {
        pause = min(pause, remaining)
      }
    }
  }

  /// - Returns: whether it was renewed.
  private func renew() async -> Bool {
    let sentAt = clock.now()
    let patience = max(.milliseconds(50), state.withLock { $0.validUntil } - sentAt)
    do throws(GridError) {
      let granted = try await keepAlive(atMost: min(patience, timeToLive / 2))
      guard granted > 0 else {
        lose(GridError(.leaseLost, "etcd has ended the lease"))
        return false
      }
      try await checkWitness(atMost: min(patience, timeToLive / 2))
    } catch {
      if error.code == .leaseLost { lose(error) }
      return false
    }
    if isEnded { return false }
    state.withLock { $0.validUntil = max($0.validUntil, sentAt + timeToLive) }
    observer.leaseRenewed(sentAt: sentAt)
    return true
  }

  /// One request and one answer on a stream of their own: a stream that breaks or hangs costs one renewal, not all.
  private func keepAlive(atMost timeout: Duration) async throws(GridError) -> Int64 {
    let identifier = identifier
    return try await cluster.attempt(timeout: timeout) { client, metadata, options in
      try await Etcdserverpb_Lease.Client(wrapping: client).leaseKeepAlive(
        metadata: metadata, options: options,
        requestProducer: { writer in try await writer.write(.with { $0.id = identifier }) },
        onResponse: { response in
          for try await message in response.messages { return message.ttl }
          throw RPCError(code: .unavailable, message: "the stream ended without an answer")
        })
    }
  }

  private func checkWitness(atMost timeout: Duration) async throws(GridError) {
    guard let witness = state.withLock({ $0.keys.first }) else { return }
    let key = mapping.key(witness)
    let response = try await cluster.attempt(timeout: timeout) { client, metadata, options in
      try await Etcdserverpb_KV.Client(wrapping: client).range(
        .with { $0.key = key }, metadata: metadata, options: options)
    }
    if response.kvs.first?.lease == identifier { return }
    // It may have been deleted by us between the choice and the read.
    guard state.withLock({ $0.keys.contains(witness) }) else { return }
    throw GridError(.leaseLost, "what the lease owned is gone from etcd")
  }
}
