/// What happens to an actor whose handler failed.
public enum SupervisionDirective: String, Sendable, CaseIterable {
  /// Keep the state and go on with the next message.
  case resume
  /// Throw the state away and start afresh after a pause, within a budget.
  case restart
  /// Stop the actor and free its name.
  case stop
}

/// How often an actor may be restarted, and with what pauses between.
public struct RestartPolicy: Sendable, Equatable {
  /// So many restarts within ``window``; one more failure stops the actor.
  public var maximumRestarts: Int
  public var window: Duration
  public var backoff: Backoff

  public init(
    maximumRestarts: Int = 5, window: Duration = .seconds(60),
    backoff: Backoff = Backoff(first: .milliseconds(100), limit: .seconds(10))
  ) {
    self.maximumRestarts = maximumRestarts
    self.window = window
    self.backoff = backoff
  }

  public static let standard = RestartPolicy()

  /// Parses `N/DURATION` (`5/60s`) or `never`.
  public init(parsing text: String) throws(GridError) {
    let wrong = GridError(
      .usage, "invalid restart policy \(NameRules.quoted(text))", hint: "write COUNT/DURATION, as 5/60s, or never")
    if text == "never" {
      self.init(maximumRestarts: 0)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(parts[0]),
      (0...1_000_000).contains(count),
      let window = Duration(gridText: String(parts[1])), window > .zero
    else { throw wrong }
    self.init(maximumRestarts: count, window: window)
  }
}

/// Counts failures against a ``RestartPolicy``. Pure: time comes in.
package struct RestartBudget: Sendable {
  private let policy: RestartPolicy
  private var failures: [MonotonicTime] = []

  package init(policy: RestartPolicy) { self.policy = policy }

  package enum Decision: Sendable, Equatable {
    case restart(after: Duration)
    case stop
  }

  /// Notes a failure at `now` and says what follows from it.
  package mutating func failed(at now: MonotonicTime) -> Decision {
    failures.removeAll { now - $0 > policy.window }
    guard failures.count < policy.maximumRestarts else { return .stop }
    let pause = policy.backoff.pause(before: failures.count)
    failures.append(now)
    return .restart(after: pause)
  }
}

extension Duration {
  /// The duration as people type it, in its largest whole unit: `250ms`, `5s`, `90s`, `2m`.
  package var gridText: String {
    let nanoseconds = wholeNanoseconds
    for (unit, size) in [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)] {
      if nanoseconds != 0, nanoseconds.isMultiple(of: Int64(size)) { return "\(nanoseconds / Int64(size))\(unit)" }
    }
    if nanoseconds == 0 { return "0s" }
    // As a fraction of a second it would have an exponent, which nobody types.
    if nanoseconds.magnitude < 1_000_000 {
      return nanoseconds.isMultiple(of: 1000) ? "\(nanoseconds / 1000)us" : "\(nanoseconds)ns"
    }
    return "\((inSeconds * 1e6).rounded() / 1e6)s"
  }

  /// Parses a duration as people type it: `250ms`, `5s`, `1h30m`, `0`; nil for anything else, and beyond 100 years.
  package init?(gridText text: String) {
    if text == "0" {
      self = .zero
      return
    }
    var total = Duration.zero
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest.removeFirst(digits.count)
      let unit = rest.prefix { $0.isASCII && $0.isLetter }
      rest.removeFirst(unit.count)
      guard let value = Double(digits), let seconds = Self.secondsPerUnit[String(unit)],
        let part = Duration(seconds: value * seconds)
      else { return nil }
      total += part
      guard total.inSeconds < Self.longestSeconds else { return nil }
    }
    self = total
  }

  private static let secondsPerUnit: [String: Double] = [
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400,
  ]
}
