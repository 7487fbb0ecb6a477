internal import GridCore

/// Until when each process may act under its leases: counted from when the last renewal was sent that the store
/// acknowledged, whatever the process made of it. Pure.
struct LeaseLedger {
  /// By process: the end of each of its leases, by the number that the process has for it.
  private var ends: [String: [Int: MonotonicTime]] = [:]

  /// A renewal was acknowledged.
  mutating func renewed(_ lease: Int, of process: String, until end: MonotonicTime) {
    ends[process, default: [:]][lease] = max(end, ends[process]?[lease] ?? end)
  }

  /// The process gives a lease back: from now on it is as good as ended.
  mutating func returned(_ lease: Int, of process: String) { ends[process]?[lease] = nil }

  /// When the last of them ends; nil when it has none.
  func end(of process: String) -> MonotonicTime? { ends[process]?.values.max() }

  func isValid(_ process: String, at now: MonotonicTime) -> Bool { end(of: process).map { now < $0 } ?? false }
}
