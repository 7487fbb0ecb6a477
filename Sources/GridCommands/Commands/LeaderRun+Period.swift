internal import GridClient
internal import GridCore
internal import GridSystem

/// `leader run --once-per`: what ran well lately is not run again.
extension LeaderRun {
  /// Whether the program ran well within the period; says so.
  func hasRun() async throws(GridError) -> Bool {
    guard let period = options.period else { return false }
    let answer = try await session.request("leader.lastRun", ["name": .string(name)])
    guard let json = answer["run"], json != .null else { return false }
    let (run, now) = (try RunRecord(json: json), clock.date())
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
      _ = try await session.connection.request(
        "leader.record",
        [
          "name": .string(name), "token": .integer(token),
          "startedMilliseconds": .integer(startedAt.millisecondsSince1970),
        ], timeout: Self.recordPatience)
    } catch {
      say("the program ran well, but that could not be recorded, so it may be run again: \(error.message)")
    }
  }
}
