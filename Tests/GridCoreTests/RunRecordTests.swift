internal import GridCore
internal import Testing

@Suite struct RunRecordTests {
  private static func run(at seconds: Int64) -> RunRecord {
    let start = CalendarTime(millisecondsSince1970: seconds * 1000)
    return RunRecord(name: "nightly", node: "n1", holder: "h process 1", startedAt: start, endedAt: start, token: 7)
  }

  private static let day: Int64 = 86_400

  @Test(
    arguments: [
      ("the same tick of cron on another node", Duration.seconds(86_400), 3, true),
      ("ten hours later", .seconds(86_400), 36_000, true),
      ("six minutes before the day is over", .seconds(86_400), day - 360, true),
      ("the next day's cron, five seconds early", .seconds(86_400), day - 5, false),
      ("the next day's cron, after a late start", .seconds(86_400), day - 299, false),
      ("the next day", .seconds(86_400), day, false),
      ("a period of ten seconds leaves one", .seconds(10), 8, true), ("and no more", .seconds(10), 9, false),
      ("a clock that is a minute behind", .seconds(86_400), -60, true),
      ("a clock that was a year ahead", .seconds(86_400), -365 * day, false),
      ("the beginning of time", .seconds(86_400), .min / 1000, false), ("no period", .zero, 0, false),
    ] as [(String, Duration, Int64, Bool)])
  func `a run counts for a period from its start`(
    _ what: String, _ period: Duration, _ elapsed: Int64, _ counts: Bool
  ) {
    let now = CalendarTime(millisecondsSince1970: (1_800_000_000 + elapsed) * 1000)
    #expect(Self.run(at: 1_800_000_000).counts(for: period, at: now) == counts, "\(what)")
  }

  @Test func `what is read is what was written, and what is no record is refused`() throws {
    let run = Self.run(at: 1_800_000_000)
    #expect(try RunRecord(json: run.json) == run)
    #expect(throws: GridError.self) { try RunRecord(json: ["name": "nightly"]) }
    let worst: JSONValue = ["name": "x", "startedMilliseconds": .integer(.min)]
    let end = CalendarTime(millisecondsSince1970: .max)
    #expect(try RunRecord(json: worst).counts(for: .seconds(60), at: end) == false)
  }
}
