internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

/// Grants leases and keeps them alive, on a thread and a connection of their own.
final class LeaseKeeper: Sendable {
  /// Etcd rounds up to one and a half of its election time-outs: this much with the usual ones.
  static let minimumTimeToLive = Duration.seconds(2)
  /// The longest that etcd takes is about 285 years; nobody needs a day.
  private static let maximumTimeToLive = Duration.seconds(86_400)

  let channel: EtcdChannel
  private let mapping: EtcdMapping
  private let clock: any GridClock
  private let tasks: EngineTasks
  private let held = Mutex<[Int64: HeldLease]>([:])

  init(channel: EtcdChannel, mapping: EtcdMapping, clock: any GridClock, tasks: EngineTasks) {
    self.channel = channel
    self.mapping = mapping
    self.clock = clock
    self.tasks = tasks
  }

  /// The leases that are held.
  var identifiers: Set<Int64> { held.withLock { Set($0.keys) } }

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
    held.withLock { $0[lease.identifier] = kept }
    kept.renewed(sentAt: sentAt)
    kept.isKept(by: tasks.start(on: channel.executor) { await self.keep(kept) })
    return lease
  }

  /// Ending a lease that has ended is no error.
  func revoke(_ identifier: Int64, within timeout: Duration? = nil) async throws(GridError) {
    held.withLock { $0.removeValue(forKey: identifier) }?.end()
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
    let leases = held.withLock { Array($0.values) }
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

  // MARK: Keeping one alive

  /// Renews until the lease is ended on purpose, or lost; then takes care that nothing of it stays behind.
  private func keep(_ held: HeldLease) async {
    let timeToLive = held.lease.timeToLive
    let interval = min(timeToLive / 4, .seconds(1))
    var pause = interval
    while true {
      await channel.executor.sleep(min(pause, max(.zero, held.validUntil - clock.now())))
      if Task.isCancelled || held.isEnded { return }
      let reason = await renew(
        held, within: min(channel.configuration.attemptTimeout, timeToLive / 4), &pause, interval)
      if Task.isCancelled || held.isEnded { return }
      if let reason {
        lose(held, reason)
        break
      }
      if clock.now() >= held.validUntil {
        lose(held, GridError(.leaseLost, "the lease could not be renewed for \(timeToLive.inSeconds) s"))
        break
      }
    }
    await bury(held)
  }

  private func lose(_ lost: HeldLease, _ reason: GridError) {
    held.withLock { _ = $0.removeValue(forKey: lost.lease.identifier) }
    lost.lose(reason)
  }

  /// - Returns: why the lease is lost, or nil when it is not, or not known to be.
  private func renew(
    _ held: HeldLease, within timeout: Duration, _ pause: inout Duration, _ interval: Duration
  ) async -> GridError? {
    let sentAt = clock.now()
    pause = .milliseconds(50)
    do throws(EtcdFailure) {
      let identifier = held.lease.identifier
      let answer = try await channel.attempt(.keepAlive, .with { $0.id = identifier }, within: timeout)
      guard answer.ttl > 0 else { return GridError(.leaseLost, "etcd has ended the lease") }
      // 3.4 confirms leases that are gone: the answer counts once something that the lease owns was seen after it.
      guard try await isAlive(held, within: timeout) else {
        return GridError(.leaseLost, "etcd has ended the lease and removed what it owned")
      }
    } catch {
      if error.reason == .leaseNotFound { return error.error }
      return nil
    }
    pause = interval
    held.renewed(sentAt: sentAt)
    return nil
  }

  /// Whether the lease is alive by the word of the cluster, not of one member.
  private func isAlive(_ held: HeldLease, within timeout: Duration) async throws(EtcdFailure) -> Bool {
    var isSuspicious = false
    for _ in 0..<4 {
      guard let witness = held.witness else { break }
      let answer = try await channel.attempt(
        .range,
        .with {
          $0.key = witness.key
          $0.keysOnly = true
        }, within: timeout)
      if answer.kvs.first?.lease == held.lease.identifier { return true }
      guard answer.header.revision >= witness.revision else {
        throw EtcdFailure(
          .notReady, mayBeApplied: false, GridError(.unavailable, "a member of etcd answers from the past"))
      }
      held.forget(witness.key, upTo: answer.header.revision)
      isSuspicious = true
    }
    if !isSuspicious { return true }
    return try await exists(held.lease, within: timeout)
  }

  /// Asks for a lease of the same number: that goes through the log, and is refused only while ours is there.
  private func exists(_ lease: StoreLease, within timeout: Duration) async throws(EtcdFailure) -> Bool {
    do throws(EtcdFailure) {
      _ = try await channel.attempt(
        .grant,
        .with {
          $0.id = lease.identifier
          $0.ttl = lease.timeToLive.components.seconds
        }, within: timeout)
      return false
    } catch {
      if error.reason == .leaseExists { return true }
      throw error
    }
  }

  /// A lease that could not be renewed may live on in etcd, and its entries with it, for as long as etcd takes to find
  /// a leader and a whole life more. Revoking it as soon as etcd answers frees its names earlier.
  private func bury(_ held: HeldLease) async {
    while !Task.isCancelled {
      do throws(GridError) {
        return try await revoke(held.lease.identifier)
      } catch {
        guard error.code == .unavailable else { return }
      }
      await channel.executor.sleep(.milliseconds(500))
    }
  }
}
