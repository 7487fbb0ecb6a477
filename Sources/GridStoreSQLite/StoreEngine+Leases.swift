internal import Foundation
internal import GRDB
internal import Glibc
internal import GridConcurrency
internal import GridCore

extension StoreEngine {
  /// A lease of this process.
  struct HeldLease {
    let lease: StoreLease
    let file: LeaseFileBox
    let observer: any LeaseObserver
    /// When the last acknowledged renewal was sent.
    var renewedAt: MonotonicTime
    var attemptedAt: MonotonicTime
    /// Why it was not renewed last time.
    var failure: GridError?
  }

  // MARK: Granting

  /// Somebody who waits for a lease.
  struct LeaseRequest {
    let timeToLive: Duration
    let observer: any LeaseObserver
    let promise: Promise<Result<StoreLease, GridError>>
  }

  /// Grants a lease as soon as a file that has taken another one's place may be used.
  mutating func grantOnceSettled(
    _ timeToLive: Duration, _ observer: any LeaseObserver, _ promise: Promise<Result<StoreLease, GridError>>
  ) {
    requests.append(LeaseRequest(timeToLive: timeToLive, observer: observer, promise: promise))
    answerRequests()
  }

  /// Grants the leases that are waited for, unless it is too early.
  mutating func answerRequests() {
    let waiting = requests
    requests = []
    for request in waiting where request.promise.isOpen {
      do {
        guard let lease = try grantWhenSettled(request.timeToLive, request.observer) else {
          requests.append(request)
          continue
        }
        // Who asked may have gone at this very moment.
        if !request.promise.fulfil(.success(lease)) { try? revoke(lease.identifier) }
      } catch {
        request.promise.fulfil(.failure(Self.gridError(error, path)))
      }
    }
  }

  /// Grants a lease, or nil when it is too early: others may still believe in a file that stood here before.
  private mutating func grantWhenSettled(_ timeToLive: Duration, _ observer: any LeaseObserver) throws -> StoreLease? {
    // What cannot be opened does not settle: whoever asks is told why.
    _ = try file.get()
    guard clock.now() >= settledAt, try !isAwaitingOthers(timeToLive) else { return nil }
    return try grant(timeToLive, observer)
  }

  /// Whether processes hold leases that this file knows nothing of: they hold names in another one, until they notice
  /// or the leases have ended.
  private mutating func isAwaitingOthers(_ timeToLive: Duration) throws -> Bool {
    let now = clock.now()
    let boot = boot
    let unknown = try heldByOthers().filter { identifier in
      try !read { try StoreDatabase.isAlive(identifier, now: now, boot: boot, $0) }
    }
    awaited = Dictionary(uniqueKeysWithValues: unknown.map { ($0, awaited[$0] ?? now) })
    return awaited.values.contains { now - $0 < timeToLive }
  }

  /// The leases that living processes have locked.
  private func heldByOthers() -> [Int64] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: StoreFile.leases(of: path))) ?? []
    return names.compactMap { $0.hasSuffix(".lock") ? Int64($0.dropLast(5)) : nil }
      .filter { leases[$0] == nil && !LeaseFile.isAbandoned(leasePath($0)) }
  }

  private mutating func grant(_ timeToLive: Duration, _ observer: any LeaseObserver) throws -> StoreLease {
    let identifier = Int64.random(in: 1...Int64.max)
    let file = LeaseFileBox(try LeaseFile(creating: leasePath(identifier)))
    let sentAt = clock.now()
    let boot = boot
    do {
      try write { try StoreDatabase.insertLease(identifier, boot: boot, expires: sentAt + timeToLive, $0) }
    } catch {
      file.remove()
      throw error
    }
    let lease = StoreLease(identifier: identifier, timeToLive: timeToLive)
    leases[identifier] = HeldLease(
      lease: lease, file: file, observer: observer, renewedAt: sentAt, attemptedAt: sentAt)
    listenAsNeeded()
    observer.leaseRenewed(sentAt: sentAt)
    return lease
  }

  mutating func revoke(_ identifier: Int64) throws {
    let held = leases.removeValue(forKey: identifier)
    listenAsNeeded()
    defer { held?.file.remove() }
    try write { try StoreDatabase.endLease(identifier, $0) }
    deliver()
  }

  // MARK: Time

  /// When the first of our leases is to be renewed, or has ended.
  var nextRenewal: MonotonicTime {
    leases.values.map { min($0.attemptAt, $0.renewedAt + $0.lease.timeToLive) }.min() ?? .distantFuture
  }

  mutating func renewLeases() {
    for (identifier, held) in leases {
      let now = clock.now()
      if now - held.renewedAt >= held.lease.timeToLive {
        let time = HeldLease.seconds(now - held.renewedAt)
        lose(
          identifier,
          GridError(
            .leaseLost, "the lease could not be renewed for \(time) s", hint: held.failure?.hint,
            cause: held.failure?.description))
        continue
      }
      guard now >= held.attemptAt else { continue }
      leases[identifier]?.attemptedAt = now
      do {
        guard try write({ try StoreDatabase.renewLease(identifier, expires: now + held.lease.timeToLive, $0) }) else {
          lose(identifier, GridError(.leaseLost, "the lease was ended by another node"))
          continue
        }
        leases[identifier]?.renewedAt = now
        leases[identifier]?.failure = nil
        held.observer.leaseRenewed(sentAt: now)
      } catch {
        let failure = Self.gridError(error, path)
        leases[identifier]?.failure = failure
      }
    }
  }

  mutating func lose(_ identifier: Int64, _ reason: GridError) {
    guard let held = leases.removeValue(forKey: identifier) else { return }
    listenAsNeeded()
    held.observer.leaseLost(reason)
    // Nobody may have taken it yet: then its entries go now. A failure here is made good by the others' sweeps.
    _ = try? write { try StoreDatabase.endLease(identifier, $0) }
    held.file.remove()
    deliver()
  }

  /// Ends the leases of others that are over.
  ///
  /// - Returns: when the first of the rest ends unless it is renewed; nil when there is none.
  mutating func endForeignLeases() -> MonotonicTime? {
    let now = clock.now()
    guard let rows = try? read({ try StoreDatabase.leases($0) }) else { return nil }
    let boot = boot
    var next: MonotonicTime?
    for row in rows where leases[row.identifier] == nil {
      let path = leasePath(row.identifier)
      guard row.boot != boot || row.expires <= now.nanoseconds || LeaseFile.isAbandoned(path) else {
        let expiry = MonotonicTime(nanoseconds: row.expires)
        next = min(next ?? expiry, expiry)
        continue
      }
      let ended = try? write { database in
        // It may have been renewed between the look and the transaction, unless its holder is gone.
        let isAlive = try StoreDatabase.isAlive(row.identifier, now: now, boot: boot, database)
        guard !isAlive || LeaseFile.isAbandoned(path) else { return false }
        try StoreDatabase.endLease(row.identifier, database)
        return true
      }
      if ended == true {
        unlink(path)
        deliver()
      } else {
        next = now
      }
    }
    return next
  }

  private func leasePath(_ identifier: Int64) -> String { "\(StoreFile.leases(of: path))/\(identifier).lock" }
}

extension StoreEngine.HeldLease {
  /// When it is to be renewed: a failed attempt is repeated soon, a successful one holds for a third of the life.
  var attemptAt: MonotonicTime {
    attemptedAt + (attemptedAt == renewedAt ? lease.timeToLive / 3 : .milliseconds(100))
  }

  /// With one place behind the point.
  fileprivate static func seconds(_ duration: Duration) -> Double { (duration.inSeconds * 10).rounded() / 10 }
}

/// Holds a lease file where a non-copyable value cannot stand.
final class LeaseFileBox {
  private var file: LeaseFile?

  init(_ file: consuming LeaseFile) { self.file = consume file }

  func remove() { file.take()?.remove() }
}
