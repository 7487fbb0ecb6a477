internal import GridCore

/// What was heard of a store's files.
struct StoreNews: OptionSet, Sendable {
  let rawValue: UInt8

  /// Something was written to the store.
  static let changed = StoreNews(rawValue: 1)
  /// A file or folder was made, moved or removed.
  static let moved = StoreNews(rawValue: 2)
  /// A lease was made.
  static let leaseMade = StoreNews(rawValue: 4)
  /// The file behind a lease was let go of: its holder has given it up, or is gone.
  static let leaseClosed = StoreNews(rawValue: 8)
  /// The main file was written to: by a checkpoint, or by somebody who put other content into it.
  static let overwritten = StoreNews(rawValue: 16)
}

/// When a store looks at what: by what it hears, and by the clock for what it may not hear of.
///
/// Where it hears nothing, because the system has no ear to spare, it looks as often as it must.
struct StoreSchedule: Sendable {
  /// What is to be done now.
  struct Due: Sendable, Equatable {
    /// Whether the file at the path is still the open one.
    var looks = false
    /// Whether to look into it for that, too.
    var looksClosely = false
    /// Whether there are changes of other processes.
    var reads = false
    /// Whether to end leases of others that are over.
    var sweeps = false
  }

  /// How long something that was not heard of may go unnoticed.
  static let net = Duration.seconds(2)
  /// How often the file is looked at where nothing is heard.
  static let pollInterval = Duration.milliseconds(20)
  /// How often leases are looked at where nothing is heard.
  static let pollSweepInterval = Duration.milliseconds(100)
  /// A file is told to be closed a moment before its lock is free, so it is looked at several times.
  static let rechecks: [Duration] = [.zero, .milliseconds(2), .milliseconds(10), .milliseconds(50), .milliseconds(250)]
  /// How long after its file the row of a lease may be written.
  static let leaseDelay = Duration.milliseconds(100)
  /// The least pause before leases that could not be ended are looked at again.
  static let leastPause = Duration.milliseconds(20)

  private var isHearing = false
  private var pending = Due()
  private var looksAt: MonotonicTime
  private var sweepsAt: MonotonicTime
  private var recheckAt: [MonotonicTime] = []

  init(at now: MonotonicTime) {
    looksAt = now
    sweepsAt = now
  }

  /// When something is due for certain.
  var next: MonotonicTime { min(looksAt, sweepsAt, recheckAt.first ?? .distantFuture) }

  mutating func heard(_ news: StoreNews, at now: MonotonicTime) {
    if news.contains(.changed) { pending.reads = true }
    if news.contains(.moved) || news.contains(.overwritten) { lookNow() }
    if news.contains(.moved) { pending.reads = true }
    if news.contains(.leaseMade) { sweepsAt = min(sweepsAt, now + Self.leaseDelay) }
    if news.contains(.leaseClosed) { recheckAt = Self.rechecks.map { now + $0 } }
  }

  /// Whether news will come.
  mutating func hears(_ isHearing: Bool, at now: MonotonicTime) {
    guard isHearing != self.isHearing else { return }
    self.isHearing = isHearing
    // What came before the ear was there was not heard.
    looksAt = now
    sweepsAt = now
  }

  /// Has the file looked at now.
  mutating func lookNow() {
    pending.looks = true
    pending.looksClosely = true
  }

  /// Takes what is due.
  mutating func take(at now: MonotonicTime) -> Due {
    var due = pending
    pending = Due()
    if now >= looksAt {
      due.looks = true
      due.reads = true
      due.looksClosely = due.looksClosely || isHearing
      looksAt = now + (isHearing ? Self.net : Self.pollInterval)
    }
    if now >= sweepsAt {
      due.sweeps = true
      due.looks = true
      due.looksClosely = true
      sweepsAt = now + (isHearing ? Self.net : Self.pollSweepInterval)
    }
    if let first = recheckAt.first, now >= first {
      due.sweeps = true
      recheckAt.removeAll { $0 <= now }
    }
    return due
  }

  /// - Parameter expiry: when the first of the leases that were found ends unless it is renewed.
  mutating func swept(nextExpiry expiry: MonotonicTime?, at now: MonotonicTime) {
    if let expiry { sweepsAt = min(sweepsAt, max(expiry, now + Self.leastPause)) }
  }
}
