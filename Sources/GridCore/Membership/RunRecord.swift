/// What stands in the coordination store of the last run of a program that ended well under a leadership.
///
/// Only who leads writes it, so of two runs the later leader's stands. Times are those of the machines that ran it; the
/// record holds for periods that are long beside what their clocks differ by.
package struct RunRecord: Sendable, Equatable {
  /// The name of the leadership.
  package var name: String
  /// The node whose lease the run was under.
  package var node: String
  /// Who led, for people: host and process.
  package var holder: String
  /// When the program was started.
  package var startedAt: CalendarTime
  /// When it had ended.
  package var endedAt: CalendarTime
  /// The leadership's fencing token.
  package var token: Int64

  package init(
    name: String, node: String, holder: String, startedAt: CalendarTime, endedAt: CalendarTime, token: Int64
  ) {
    self.name = name
    self.node = node
    self.holder = holder
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.token = token
  }

  /// A run may begin so much earlier than its period is over: a tenth of it, five minutes at most. What cron starts
  /// every day at the same time would otherwise slip by a day whenever it is a moment early.
  package static func slack(of period: Duration) -> Duration { min(period / 10, .seconds(300)) }

  /// Whether the run counts for a period that is not over yet.
  ///
  /// - Parameter now: a time before the start, from a clock that is behind, counts as much as one after it: a clock
  ///   that was wrong once must not forbid all runs until it is right.
  package func counts(for period: Duration, at now: CalendarTime) -> Bool {
    let elapsed = now.millisecondsSince1970.subtractingClamped(startedAt.millisecondsSince1970)
    let needed = (period - Self.slack(of: period)).wholeNanoseconds / 1_000_000
    return elapsed.magnitude < needed.magnitude && needed > 0
  }

  package var json: JSONValue {
    [
      "name": .string(name), "node": .string(node), "holder": .string(holder), "token": .integer(token),
      "startedMilliseconds": .integer(startedAt.millisecondsSince1970),
      "endedMilliseconds": .integer(endedAt.millisecondsSince1970),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard let name = json["name"]?.stringValue, let started = json["startedMilliseconds"]?.integerValue else {
      throw GridError(.undecodable, "the record of a run lacks its name or start")
    }
    self.init(
      name: name, node: json["node"]?.stringValue ?? "", holder: json["holder"]?.stringValue ?? "",
      startedAt: CalendarTime(millisecondsSince1970: started),
      endedAt: CalendarTime(millisecondsSince1970: json["endedMilliseconds"]?.integerValue ?? started),
      token: json["token"]?.integerValue ?? 0)
  }
}
