internal import GridCore

/// From where on a measure is a warning, and from where on it is critical: when it is more than the bound.
struct HealthBound<Value: Comparable & Sendable & Equatable>: Sendable, Equatable {
  var warning: Value?
  var critical: Value?

  func status(_ value: Value) -> HealthReport.Status {
    if let critical, value > critical { return .critical }
    if let warning, value > warning { return .warning }
    return .ok
  }

  /// The bound that a value is beyond; nil when it is beyond none.
  func passed(by value: Value) -> Value? {
    switch status(value) {
    case .critical: critical
    case .warning: warning
    case .ok, .unknown: nil
    }
  }
}

extension HealthBound {
  /// What an option says: `CRITICAL`, `WARNING:CRITICAL` or `WARNING:`. One bound alone is what was asked to be held,
  /// so beyond it the answer is no.
  ///
  /// - Parameter value: reads one of the two.
  /// - Throws: ``GridError/Code/usage`` with the option's name and the forms that are understood.
  init(
    parsing text: String, _ option: String, _ value: (String) throws(GridError) -> Value
  ) throws(GridError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    do throws(GridError) {
      guard parts.count == 2 else {
        self.init(warning: nil, critical: try value(text))
        return
      }
      self.init(warning: try value(parts[0]), critical: parts[1].isEmpty ? nil : try value(parts[1]))
    } catch {
      throw GridError(
        .usage, "\(option) cannot be \(NameRules.quoted(text)): \(error.message)",
        hint: "write CRITICAL, WARNING:CRITICAL or WARNING:")
    }
    if let warning, let critical, warning > critical {
      throw GridError(
        .usage, "\(option) \(NameRules.quoted(text)) has its warning behind what is critical",
        hint: "write WARNING:CRITICAL, the smaller one first")
    }
  }
}

extension HealthBound where Value == Int {
  /// - Throws: ``GridError/Code/usage`` when there is no whole number from 0.
  static func count(_ text: String, _ option: String) throws(GridError) -> HealthBound {
    try HealthBound(parsing: text, option) { text throws(GridError) in
      guard let count = Int(text), count >= 0 else {
        throw GridError(.usage, "\(NameRules.quoted(text)) is no whole number from 0")
      }
      return count
    }
  }
}

extension HealthBound where Value == Duration {
  /// - Throws: ``GridError/Code/usage`` when there is no duration.
  static func duration(_ text: String, _ option: String) throws(GridError) -> HealthBound {
    try HealthBound(parsing: text, option) { text throws(GridError) in try Duration.argument(text) }
  }
}

/// What `gridctl check` holds the cluster to.
struct HealthLimits: Sendable {
  /// So many peers must be alive.
  var peers: Int?
  var roundTrip = HealthBound<Duration>()
  /// Messages that wait on one node.
  var mailbox = HealthBound<Int>()
  /// How long the oldest message on one node has been waiting or in hand.
  var age = HealthBound<Duration>()
  /// Nodes that died and are not back.
  var dead = HealthBound(warning: 0)
  /// Memberships that were lost in the window.
  var lost = HealthBound(warning: 0)
  /// Messages that became dead letters in the window.
  var deadLetters = HealthBound(warning: 0)
  /// Dead letters that there was no room for, until they are purged.
  var dropped = HealthBound(warning: 0)
  /// Log-ins that were refused in the window.
  var refused = HealthBound(warning: 0)
  /// Actors that failed in the window, and went on.
  var failing = HealthBound(warning: 0)
  /// Actors that ended by failing in the window.
  var ended = HealthBound(warning: 0)
  /// Actors that should run once, and cannot be started.
  var unstarted = HealthBound(critical: 0)
  /// How far back failures and dead letters count.
  var window = Duration.seconds(3600)
}
