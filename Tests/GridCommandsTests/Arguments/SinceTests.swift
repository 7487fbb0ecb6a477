internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct SinceTests {
  /// 2026-03-29T10:30:00Z, a Sunday on which Central Europe goes to summer time at 01:00Z.
  private let now = CalendarTime(millisecondsSince1970: 1_774_780_200_000)

  /// Central Europe in the spring of 2026.
  private func offset(_ seconds: Int64) -> Int64 { seconds < 1_774_746_000 ? 3600 : 7200 }

  @Test(
    arguments: [
      ("0", "2026-03-29T10:30:00.000Z"), ("5m", "2026-03-29T10:25:00.000Z"), ("-5m", "2026-03-29T10:25:00.000Z"),
      ("1h30m", "2026-03-29T09:00:00.000Z"), ("250ms", "2026-03-29T10:29:59.750Z"),
      // Times of day are those of the clock on the wall, today's or yesterday's.
      ("12:00", "2026-03-29T10:00:00.000Z"), ("12:29:59", "2026-03-29T10:29:59.000Z"),
      ("12:30", "2026-03-29T10:30:00.000Z"), ("12:30:01", "2026-03-28T11:30:01.000Z"),
      ("03:12", "2026-03-29T01:12:00.000Z"), ("01:59:59", "2026-03-29T00:59:59.000Z"),
      ("23:59", "2026-03-28T22:59:00.000Z"), ("00:00", "2026-03-28T23:00:00.000Z"),
      // As the TIME column shows it.
      ("10:12:13.123Z", "2026-03-29T10:12:13.123Z"), ("10:31Z", "2026-03-28T10:31:00.000Z"),
      ("12:00+02:00", "2026-03-29T10:00:00.000Z"), ("06:00-0430", "2026-03-29T10:30:00.000Z"),
      // Dates.
      ("2026-03-29", "2026-03-28T23:00:00.000Z"), ("2026-01-02", "2026-01-01T23:00:00.000Z"),
      ("2024-02-29", "2024-02-28T23:00:00.000Z"), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
      ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"),
      ("2026-01-02T03:04:05", "2026-01-02T02:04:05.000Z"), ("2026-01-02 03:04", "2026-01-02T02:04:00.000Z"),
      ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"), ("2026-01-02t03:04:05.678z", "2026-01-02T03:04:05.678Z"),
      ("2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z"), ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500Z"),
      ("2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05.000Z"), ("2026-01-02T03:04:60Z", "2026-01-02T03:04:59.000Z"),
    ])
  func `every form is understood`(_ text: String, _ expected: String) throws {
    #expect(try Since.parse(text, now: now, offset: offset).rfc3339 == expected)
  }

  @Test(
    arguments: [
      "", "-", "no", "5", "5x", "--5m", "3:12", "24:00", "12:60", "12:00:61", "12:00:", "12:00:00.", "12:00X",
      "12:00+2",
      "12:00+24:00", "2026-13-01", "2026-00-10", "2026-02-29", "2026-04-31", "2026-1-2", "2026-01-02T",
      "2026-01-02X03:04",
      "2026-01-02T03", "2026-01-02T03:04:05Zx", " 03:12", "03:12 ", "٠٣:١٢", "99999999999999999999h",
    ])
  func `anything else is refused with the forms there are`(_ text: String) throws {
    let error = #expect(throws: GridError.self) { try Since.parse(text, now: now, offset: offset) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("03:12:07") == true)
  }
}
