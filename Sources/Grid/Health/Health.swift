internal import GridCluster
internal import GridCore
internal import Logging

/// Notes what stands in the node's way, and says it in the log once for each reason.
final class Health: Sendable {
  let ledger = HealthLedger()
  private let membership: Membership
  private let leave: LeaveRequest
  private let clock: any GridClock
  private let logger: Logger

  init(membership: Membership, leave: LeaveRequest, clock: any GridClock, logger: Logger) {
    self.membership = membership
    self.leave = leave
    self.clock = clock
    self.logger = logger
  }

  func stands(_ standing: HealthLedger.Standing, _ error: GridError, _ message: Logger.Message) {
    guard error.code != .cancelled, !leave.isRequested else { return }
    guard ledger.stands(standing, error, at: clock.date()) else { return }
    logger.warning(message, metadata: ["error": "\(error)", "hint": "\(error.hint ?? "")", "subject": "\(standing)"])
  }

  func mended(_ standing: HealthLedger.Standing, _ message: Logger.Message) {
    if ledger.mended(standing) { logger.notice(message, metadata: ["subject": "\(standing)"]) }
  }

  func lostMembership() { ledger.lostMembership(at: clock.date()) }

  func failed(_ name: String, _ error: GridError, ends: Bool) {
    ledger.failed(name, error, ends: ends, at: clock.date())
  }

  /// Why the node is no member; nil while it is one.
  var membershipProblem: GridError? {
    guard membership.record == nil else { return nil }
    return ledger.trouble(.membership)?.error
      ?? GridError(.notServing, "it has lost its membership, and joins again", hint: "look at its log")
  }
}
