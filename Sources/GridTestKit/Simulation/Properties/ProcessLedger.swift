internal import GridCore

/// Which processes have ended, and how. Pure.
struct ProcessLedger {
  private(set) var dead: Set<String> = []
  /// Those that nobody asked: what they had in memory is gone.
  private(set) var killed: Set<String> = []
  /// When the last connection of a process ended.
  private var disconnections: [String: MonotonicTime] = [:]

  mutating func died(_ process: String, wasKilled: Bool) {
    dead.insert(process)
    if wasKilled { killed.insert(process) }
  }

  mutating func disconnected(_ process: String, at now: MonotonicTime) { disconnections[process] = now }

  /// Whether a connection of the process has ended since then: what was on its way may be gone.
  func hasLostConnection(_ process: String, since: MonotonicTime) -> Bool {
    disconnections[process].map { $0 >= since } ?? false
  }
}
