internal import FoundationEssentials
internal import GridCore
internal import GridSystem
internal import SwiftProtobuf
internal import Synchronization

/// Grants leases and keeps them alive, on a thread and a connection of their own, all of them in one round.
final class LeaseKeeper: Sendable {
  private struct State {
    var held: [Int64: HeldLease] = [:]
    /// Whether a task goes its rounds: only while something is held.
    var isKeeping = false
  }

  /// Etcd rounds up to one and a half of its election time-outs: this much with the usual ones.
  static let minimumTimeToLive = Duration.seconds(2)
  /// The longest that etcd takes is about 285 years; nobody needs a day.
  private static let maximumTimeToLive = Duration.seconds(86_400)

  let channel: EtcdChannel
  private let mapping: EtcdMapping
  private let clock: any GridClock
  private let tasks: EngineTasks
  private let state = Mutex(State())

  init(channel: EtcdChannel, mapping: EtcdMapping, clock: any GridClock, tasks: EngineTasks) {
    self.channel = channel
    self.mapping = mapping
    self.clock = clock
    self.tasks = tasks
  }

  /// The leases that are held.
  var identifiers: Set<Int64> { state.withLock { Set($0.held.keys) } }

  func grant(_ timeToLive: Duration, _ observer: any LeaseObserver) async throws(GridError) -> StoreLease {
    let wanted = min(max(timeToLive, Self.minimumTimeToLive), Self.maximumTimeToLive)
    let seconds = (wanted.wholeNanoseconds + 999_999_999) / 1_000_000_000
    // Before all attempts: earlier than etcd counts, whichever of them it was that it heard.
    let sentAt = clock.now()
    let answer: Etcdserverpb_LeaseGrantResponse
    do throws(EtcdFailure) {
      answer = try await channel.perform(.grant, .with { $0.ttl = seconds })
    } catch {
      throw error.error
    }
    guard answer.id != 0, answer.ttl > 0 else {
      throw GridError(.unavailable, "etcd grants no lease", cause: answer.error)
    }
    let lease = StoreLease(identifier: answer.id, timeToLive: .seconds(answer.ttl))
    let kept = HeldLease(lease, observer: observer, grantSentAt: sentAt)
    let isFirst = state.withLock { state in
      state.held[lease.identifier] = kept
      defer { state.isKeeping = true }
      return !state.isKeeping
    }
    kept.renewed(sentAt: sentAt)
    if isFirst { tasks.start(on: channel.executor) { await self.keep() } }
    return lease
  }

  /// Ending a lease that has ended is no error.
  func revoke(_ identifier: Int64, within timeout: Duration? = nil) async throws(GridError) {
    state.withLock { $0.held.removeValue(forKey: identifier) }?.end()
    do throws(EtcdFailure) {
      _ = try await channel.perform(.revoke, .with { $0.id = identifier }, within: timeout)
    } catch {
      if error.reason != .leaseNotFound { throw error.error }
    }
  }

  /// Revokes what is held, all at once, as far as etcd answers within a second.
  func close() async {
    let identifiers = identifiers
    await withDiscardingTaskGroup { group in
      for identifier in identifiers {
        group.addTask { try? await self.revoke(identifier, within: .seconds(1)) }
      }
    }
  }

  /// Takes note of what leases own after a transaction.
  func carriedOut(_ operations: [StoreOperation], at revision: Int64) {
    let leases = state.withLock { Array($0.held.values) }
    guard !leases.isEmpty else { return }
    let changes = operations.compactMap { operation -> (key: Data, lease: Int64)? in
      switch operation {
      case .put(let key, _, let lease): (mapping.key(key), lease)
      case .delete(let key): (mapping.key(key), 0)
      case .get: nil
      }
    }
    for lease in leases { lease.carriedOut(changes, at: revision) }
  }

  // MARK: Losing one

  /// Goes rounds until nothing is held any more.
  private func keep() async {
    let rounds = LeaseRounds(channel: channel, clock: clock)
    while !Task.isCancelled {
      let leases = state.withLock { state in
        if state.held.isEmpty { state.isKeeping = false }
        return Array(state.held.values)
      }
      if leases.isEmpty { return }
      for (lease, reason) in await rounds.next(leases) { lose(lease, reason) }
    }
  }

  /// Nothing that was granted is ours any more.
  func loseAll(_ reason: GridError) {
    for lease in state.withLock({ Array($0.held.values) }) { lose(lease, reason) }
  }

  private func lose(_ lease: HeldLease, _ reason: GridError) {
    // One that was revoked on purpose meanwhile is no loss.
    guard state.withLock({ $0.held.removeValue(forKey: lease.lease.identifier) }) != nil else { return }
    lease.lose(reason)
    let identifier = lease.lease.identifier
    tasks.start(on: channel.executor) { await self.bury(identifier) }
  }

  /// A lease that could not be renewed may live on in etcd, and its entries with it, for as long as etcd takes to find
  /// a leader and a whole life more. Revoking it as soon as etcd answers frees its names earlier.
  private func bury(_ identifier: Int64) async {
    while !Task.isCancelled {
      do throws(GridError) {
        return try await revoke(identifier)
      } catch {
        guard error.code == .unavailable else { return }
      }
      await channel.thread.sleep(.milliseconds(500))
    }
  }
}
