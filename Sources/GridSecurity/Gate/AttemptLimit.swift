package import GridCore

/// How often somebody may try to log in and fail: after ``failures`` within ``window`` connections from there are
/// refused until a ``pause`` has passed. Pure.
///
/// Loopback is not shut: behind that address are all users of the machine, and a proof is known to be right only once
/// it was made, so whoever fails on purpose would lock out everybody else there. Nobody guesses 256 bits; what a
/// failure costs is bounded without it: so many connections that have not greeted, so many records a minute.
package struct AttemptLimit: Sendable {
  private struct Host: Sendable {
    /// When the last attempts failed, the oldest first.
    var failures: [MonotonicTime] = []
    var shutUntil: MonotonicTime?
  }

  package static let failures = 10
  package static let window = Duration.seconds(60)
  package static let pause = Duration.seconds(60)
  /// Overflow: the host that has not failed for the longest time is forgotten.
  package static let mostHosts = 1024

  private var hosts: [HostGroup: Host] = [:]

  package init() {}

  /// How long nobody from there is let in; nil lets them try.
  package func remaining(_ host: HostGroup, at now: MonotonicTime) -> Duration? {
    guard let until = hosts[host]?.shutUntil, until > now else { return nil }
    return until - now
  }

  /// Notes that an attempt from there has failed.
  package mutating func failed(_ host: HostGroup, at now: MonotonicTime) {
    guard host != .loopback, host != .unknown else { return }
    if hosts[host] == nil, hosts.count >= Self.mostHosts { forgetOne() }
    var known = hosts[host] ?? Host()
    known.failures.removeAll { now - $0 >= Self.window }
    known.failures.append(now)
    if known.failures.count >= Self.failures {
      known.failures = []
      known.shutUntil = now + Self.pause
    }
    hosts[host] = known
  }

  private static let never = MonotonicTime(nanoseconds: .min)

  private mutating func forgetOne() {
    func last(_ host: Host) -> MonotonicTime {
      let began = host.shutUntil.map { $0 + (.zero - Self.pause) }
      return max(host.failures.last ?? Self.never, began ?? Self.never)
    }
    if let oldest = hosts.min(by: { last($0.value) < last($1.value) }) { hosts[oldest.key] = nil }
  }
}

/// So many a minute are told one by one; the others are counted. Pure.
package struct RecordBudget: Sendable {
  package static let perMinute = 60
  private static let window = Duration.seconds(60)

  private var began: MonotonicTime?
  private var used = 0
  private var leftOut = 0

  package init() {}

  /// Whether one more is told one by one.
  package mutating func takes(at now: MonotonicTime) -> Bool {
    if began.map({ now - $0 >= Self.window }) ?? true { (began, used) = (now, 0) }
    guard used < Self.perMinute else {
      leftOut = leftOut.addingClamped(1)
      return false
    }
    used += 1
    return true
  }

  /// How many were counted only, since this was asked last; 0 before their minute is over.
  package mutating func takeLeftOut(at now: MonotonicTime) -> Int {
    guard let began, now - began >= Self.window else { return 0 }
    defer { leftOut = 0 }
    return leftOut
  }
}
