internal import Foundation
internal import GRDB
internal import Glibc
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

  /// Grants a lease, or nil when it is too early: others may still believe in a file that stood here before.
  mutating func grantWhenSettled(_ timeToLive: Duration, _ observer: any LeaseObserver) throws -> StoreLease? {
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
    observer.leaseRenewed(sentAt: sentAt)
    return lease
  }

  mutating func revoke(_ identifier: Int64) throws {
    let held = leases.removeValue(forKey: identifier)
    defer { held?.file.remove() }
    try write { try StoreDatabase.endLease(identifier, $0) }
    deliver()
  }

  // MARK: Time

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
      // A failed attempt is repeated soon; a successful one holds for a third of the lease's life.
      let pause = held.attemptedAt == held.renewedAt ? held.lease.timeToLive / 3 : .milliseconds(100)
      guard now - held.attemptedAt >= pause else { continue }
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
    held.observer.leaseLost(reason)
    // Nobody may have taken it yet: then its entries go now. A failure here is made good by the others' sweeps.
    _ = try? write { try StoreDatabase.endLease(identifier, $0) }
    held.file.remove()
    deliver()
  }

  mutating func endForeignLeases() {
    let now = clock.now()
    guard let rows = try? read({ try StoreDatabase.leases($0) }) else { return }
    let boot = boot
    for row in rows where leases[row.identifier] == nil {
      let path = leasePath(row.identifier)
      guard row.boot != boot || row.expires <= now.nanoseconds || LeaseFile.isAbandoned(path) else { continue }
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
      }
    }
  }

  private func leasePath(_ identifier: Int64) -> String { "\(StoreFile.leases(of: path))/\(identifier).lock" }
}

extension StoreEngine.HeldLease {
  /// With one place behind the point.
  fileprivate static func seconds(_ duration: Duration) -> Double { (duration.inSeconds * 10).rounded() / 10 }
}

/// Holds a lease file where a non-copyable value cannot stand.
final class LeaseFileBox {
  private var file: LeaseFile?

  init(_ file: consuming LeaseFile) { self.file = consume file }

  func remove() { file.take()?.remove() }
}
