internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import Logging
internal import Synchronization

/// Writes down who asks this node for what: before it is carried out, and what became of it.
///
/// What cannot be written down is not carried out. What the process of the node asks itself for is not written: it is
/// the node. A simulated node has no log, and writes nothing.
final class AuditTrail: Sendable {
  /// A request that is written down as begun.
  struct Entry: Sendable {
    let verb: String
    let subject: JSONValue
    let caller: Caller
    let sequence: Int64?
  }

  private enum Phase {
    case none
    /// There is a name for it once the node has joined.
    case starting
    case open(AuditLog)
  }

  private struct State {
    var phase: Phase
    /// Whoever may do nothing else is not to fill the disk with what was denied.
    var denials = RecordBudget()
    var hasFailed = false

    /// - Returns: whether that is news.
    mutating func notes(failed: Bool) -> Bool {
      defer { hasFailed = failed }
      return hasFailed != failed
    }
  }

  private let state: Mutex<State>
  private let live = Broadcaster<AuditRecord>()
  private let clock: any GridClock
  private let logger: Logger

  /// - Parameter isKept: whether there will be a log.
  init(isKept: Bool, clock: any GridClock, logger: Logger) {
    state = Mutex(State(phase: isKept ? .starting : .none))
    self.clock = clock
    self.logger = logger
  }

  func open(_ log: AuditLog) { state.withLock { $0.phase = .open(log) } }

  func close() { log?.close() }

  /// Nil where there is none, and before it is open.
  var log: AuditLog? {
    state.withLock { state -> AuditLog? in
      if case .open(let log) = state.phase { return log }
      return nil
    }
  }

  // MARK: Requests

  /// - Throws: ``GridError/Code/inputOutput`` when it cannot be written down, and must not be done.
  func begin(_ verb: String, _ subject: JSONValue, _ caller: Caller) throws(GridError) -> Entry {
    let sequence = try write(AuditRecord(verb, subject, caller, .begun))
    return Entry(verb: verb, subject: subject, caller: caller, sequence: sequence)
  }

  /// Says what became of it. It was done by now: where this cannot be written any more, the log says that it began.
  func end(_ entry: Entry, _ error: GridError?) {
    let result: AuditRecord.Result = error == nil ? .done : error?.code == .refused ? .denied : .failed
    _ = try? write(
      AuditRecord(entry.verb, entry.subject, entry.caller, result, begunAs: entry.sequence, error: error))
  }

  /// Notes that a caller may not do it.
  func denied(_ verb: String, _ subject: JSONValue, _ caller: Caller, _ error: GridError) {
    let now = clock.now()
    let (isTold, leftOut) = state.withLock { state in
      let leftOut = state.denials.takeLeftOut(at: now)
      return (state.denials.takes(at: now), leftOut)
    }
    noteLeftOut(leftOut, of: "requests")
    guard isTold else { return }
    _ = try? write(AuditRecord(verb, subject, caller, .denied, error: error))
  }

  /// Says how many of a sort were too many to be told one by one.
  func noteLeftOut(_ count: Int, of sort: String) {
    guard count > 0 else { return }
    let subject: JSONValue = ["denied": .string(sort), "leftOut": .integer(Int64(count))]
    _ = try? write(AuditRecord("audit.remark", subject, Caller(), .denied))
  }

  // MARK: Writing

  /// - Returns: the record's number; nil without a log.
  @discardableResult
  func write(_ record: AuditRecord) throws(GridError) -> Int64? {
    let log: AuditLog
    switch state.withLock({ $0.phase }) {
    case .none: return nil
    case .starting:
      throw GridError(.retryLater, "the node has not joined yet: nothing was done", hint: "try again soon")
    case .open(let opened): log = opened
    }
    do throws(GridError) {
      let written = try log.append(record)
      tell(written)
      return written.last?.sequence
    } catch {
      if error.code == .inputOutput, state.withLock({ $0.notes(failed: true) }) {
        logger.error(
          "audit log cannot be written: changes are refused",
          metadata: ["error": "\(error)", "hint": "\(error.hint ?? "")"])
      }
      throw error
    }
  }

  /// Why records cannot be written; tried again first.
  func failure() -> GridError? {
    guard let log else { return nil }
    let written = log.retry()
    if !written.isEmpty { tell(written) }
    return log.failure
  }

  private func tell(_ written: [AuditRecord]) {
    if state.withLock({ $0.notes(failed: false) }) { logger.notice("audit log can be written again") }
    for record in written {
      if record.result == .noted {
        logger.warning("audit log remarks", metadata: ["remark": "\(record.subject.text)"])
      }
      live.publish(record)
    }
  }

  // MARK: Reading

  func subscribe(_ receiver: @escaping @Sendable (AuditRecord) -> Void) -> UInt64 { live.subscribe(receiver) }

  func unsubscribe(_ number: UInt64) { live.unsubscribe(number) }
}
