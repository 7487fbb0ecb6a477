internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// `leader run --once-per`: what ran well lately is not run again.
extension LeaderRun {
  /// Whether the program ran well within the period; says so.
  func hasRun() async throws(GridError) -> Bool {
    guard let period = options.period else { return false }
    guard let run = try await session.request(LastRunRequest(name)).run else { return false }
    let now = clock.date()
    guard run.counts(for: period, at: now) else { return false }
    say(
      "it ran well at \(run.startedAt.rfc3339), \(HumanText.relative(run.startedAt, to: now)), "
        + "by \(run.holder) under node \(run.node); it is not run again within \(period.gridText)")
    return true
  }

  /// How long the node may take to record a run.
  private static let recordPatience = Duration.seconds(3)

  /// Records a run that ended well, while the leadership is still held.
  func record(_ status: ProcessExitStatus, _ token: Int64, startedAt: CalendarTime) async {
    guard options.period != nil, status == .exited(0) else { return }
    do throws(GridError) {
      _ = try await session.connection.ask(
        RecordRunRequest(name, token: token, startedAt: startedAt), timeout: Self.recordPatience)
    } catch {
      say("the program ran well, but that could not be recorded, so it may be run again: \(error.message)")
    }
  }
}
