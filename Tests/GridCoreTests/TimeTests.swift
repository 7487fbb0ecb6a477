internal import GridCore
internal import Testing

@Suite struct DurationTests {
  @Test(arguments: [
    ("0", Duration.zero), ("0s", .zero), ("250ms", .milliseconds(250)), ("5s", .seconds(5)), ("1h30m", .seconds(5400)),
    ("1m", .seconds(60)), ("2d", .seconds(172_800)), ("1.5s", .milliseconds(1500)), (".5s", .milliseconds(500)),
    ("10us", .microseconds(10)), ("7ns", .nanoseconds(7)), ("1d2h3m4s5ms", .milliseconds(93_784_005)),
    ("1s1s", .seconds(2)), ("007s", .seconds(7)), ("36524d", .seconds(3_155_673_600)),
  ])
  func `a duration is read as people type it`(_ text: String, _ expected: Duration) {
    #expect(Duration(gridText: text) == expected)
  }

  @Test(arguments: [
    "", " ", "5", "00", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "5S", "5sec", "5s5", "1..5s", "1.2.3s", ".s", "1e3s",
    "١s",
    "5µs", "infs", "nans", "5h 3m", "36526d", "100000d", "1" + String(repeating: "0", count: 400) + "s", "5w", "5y",
    "36000d36000d",
  ])
  func `anything else is no duration`(_ text: String) {
    #expect(Duration(gridText: text) == nil)
  }

  @Test(
    arguments: [
      (.zero, "0s"), (.nanoseconds(1), "1ns"), (.nanoseconds(1500), "1500ns"), (.microseconds(3), "3us"),
      (.milliseconds(250), "250ms"), (.microseconds(1500), "0.0015s"), (.seconds(90), "90s"), (.seconds(120), "2m"),
    ] as [(Duration, String)])
  func `a duration is shown as it may be typed`(_ duration: Duration, _ expected: String) {
    #expect(duration.gridText == expected)
    #expect(Duration(gridText: expected) == duration)
  }

  @Test(
    arguments: [
      (Duration.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), -1), (.seconds(3), 3_000_000_000),
      (.milliseconds(-1500), -1_500_000_000), (.nanoseconds(Int64.max), .max), (.seconds(Int64.max), .max),
      (.seconds(Int64.min), .min), (.seconds(9_223_372_036), 9_223_372_036_000_000_000),
      (.seconds(9_223_372_037), .max),
      (.seconds(-9_223_372_037), .min),
    ] as [(Duration, Int64)])
  func `whole nanoseconds are clamped to 64 bits`(_ duration: Duration, _ expected: Int64) {
    #expect(duration.wholeNanoseconds == expected)
  }

  @Test func `seconds are for display`() {
    #expect(Duration.milliseconds(1500).inSeconds == 1.5)
    #expect(Duration.seconds(-2).inSeconds == -2)
  }
}

@Suite struct MonotonicTimeTests {
  @Test func `times are ordered and differ by durations`() {
    let start = MonotonicTime(nanoseconds: 1000)
    let later = start + .microseconds(2)
    #expect(later.nanoseconds == 3000)
    #expect(start < later)
    #expect(later - start == .microseconds(2))
    #expect(start - later == .microseconds(-2))
  }

  @Test func `the end of the scale is never passed`() {
    let start = MonotonicTime(nanoseconds: 1)
    #expect(start + .seconds(Int64.max) == .distantFuture)
    #expect(MonotonicTime.distantFuture + .nanoseconds(1) == .distantFuture)
    #expect(MonotonicTime.distantFuture + .zero == .distantFuture)
    #expect(MonotonicTime(nanoseconds: .min + 5) + .seconds(-1) == MonotonicTime(nanoseconds: .min))
    #expect(MonotonicTime.distantFuture > start + .seconds(3_000_000_000))
  }
}

@Suite struct CalendarTimeTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (86_399_999, "1970-01-01T23:59:59.999Z"), (86_400_000, "1970-01-02T00:00:00.000Z"),
      (-86_400_000, "1969-12-31T00:00:00.000Z"), (-86_400_001, "1969-12-30T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
      (1_709_164_800_000, "2024-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
      (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"), (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"),
      (1_767_323_045_678, "2026-01-02T03:04:05.678Z"), (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
      (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
      (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (.max, "292278994-08-17T07:12:55.807Z"),
    ] as [(Int64, String)])
  func `a date is written in RFC 3339`(_ milliseconds: Int64, _ expected: String) {
    #expect(CalendarTime(millisecondsSince1970: milliseconds).rfc3339 == expected)
  }

  @Test func `the earliest date there is does not end the process`() {
    #expect(CalendarTime(millisecondsSince1970: .min).rfc3339.hasSuffix("T16:47:04.192Z"))
  }

  @Test func `every day of four centuries follows the one before`() {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var milliseconds: Int64 = -11_676_096_000_000
    for year in 1600..<2000 {
      let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
      for (month, length) in lengths.enumerated() {
        for day in 1...(length + (isLeap && month == 1 ? 1 : 0)) {
          let wanted = "\(year)-\(month < 9 ? "0" : "")\(month + 1)-\(day < 10 ? "0" : "")\(day)T00:00:00.000Z"
          let date = CalendarTime(millisecondsSince1970: milliseconds).rfc3339
          if date != wanted { Issue.record("\(date) instead of \(wanted)") }
          milliseconds += 86_400_000
        }
      }
    }
  }

  @Test func `dates are ordered`() {
    #expect(CalendarTime(millisecondsSince1970: -1) < CalendarTime(millisecondsSince1970: 0))
  }
}
