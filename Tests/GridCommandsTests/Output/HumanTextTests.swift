internal import ArgumentParser
internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct HumanTextTests {
  @Test(arguments: [
    (0.0, "0s"), (2e-10, "0.2ns"), (5e-7, "500ns"), (33.4e-6, "33.4us"), (0.0002, "0.2ms"), (0.00015, "0.15ms"),
    (0.0018, "1.8ms"), (0.25, "250ms"), (0.99999, "1s"), (1.5, "1.5s"), (9.96, "10s"), (59.4, "59s"), (60, "1m"),
    (192, "3m12s"), (3600, "1h"), (5400, "1h30m"), (352_800, "4d2h"), (86_400, "1d"), (-1.5, "-1.5s"),
  ])
  func `a duration is told in its two largest units`(seconds: Double, text: String) {
    #expect(HumanText.duration(seconds) == text)
  }

  @Test func `whatever number a node sends has a text`() {
    #expect(HumanText.duration(nil) == "-")
    let odd: [Double] = [
      .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e18,
      1e19,
    ]
    for value in odd {
      #expect(!HumanText.duration(value).isEmpty)
      #expect(!HumanText.rate(value).isEmpty)
      #expect(!HumanText.rounded(value, 2).isEmpty)
    }
    #expect(CountText.grouped(Int64.min) == "-9,223,372,036,854,775,808")
    #expect(!HumanText.bytes(.max).isEmpty && !HumanText.bytes(.min).isEmpty)
    let times = [Int64.min, 0, .max].map { CalendarTime(millisecondsSince1970: $0) }
    for time in times { for now in times { #expect(!HumanText.relative(time, to: now).isEmpty) } }
  }

  @Test func `sizes counts and rates are short`() {
    #expect(
      [0, 512, 1024, 1536, 16 << 20, 1_048_575].map(HumanText.bytes) == [
        "0B", "512B", "1KiB", "1.5KiB", "16MiB", "1MiB",
      ])
    #expect([0, 999, 1000, 1_234_567, -1000].map(CountText.grouped) == ["0", "999", "1,000", "1,234,567", "-1,000"])
    #expect(
      [0, 912, 9999, 20_000, 999_999, 1_250_000].map(HumanText.rate) == [
        "0/s", "912/s", "9999/s", "20k/s", "1M/s", "1.25M/s",
      ])
  }

  @Test func `times are told from now`() {
    let now = CalendarTime(millisecondsSince1970: 1_000_000)
    let texts = [1_000_000, 999_500, 808_000, 1_005_000].map {
      HumanText.relative(CalendarTime(millisecondsSince1970: $0), to: now)
    }
    #expect(texts == ["now", "now", "3m12s ago", "in 5s"])
  }

  @Test func `an excerpt is cut once`() {
    #expect(HumanText.excerpt("abcd", 4) == "abcd")
    #expect(HumanText.excerpt("abcde", 4) == "abcd…")
    #expect(HumanText.excerpt("", 4) == "")
  }
}

@Suite struct TextArgumentTests {
  @Test func `durations`() throws {
    let good: [(String, Duration)] = [
      ("250ms", .milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h30m", .seconds(5400)),
      ("0", .zero),
    ]
    for (text, duration) in good { #expect(try DurationArgument(parsing: text).duration == duration) }
    for text in ["", "5", "s", "-5s", "5 s", "5x", "1e9h", "∞"] {
      #expect(DurationArgument(argument: text) == nil, "\(text)")
    }
  }

  @Test func `sizes`() throws {
    let good = ["0": 0, "100": 100, "100B": 100, "64KiB": 65_536, "1MB": 1_000_000, "1kb": 1000, "2gib": 2 << 30]
    for (text, bytes) in good { #expect(try SizeArgument(parsing: text).bytes == bytes) }
    for text in ["", "KiB", "-1", "1.5MB", "1QB", "9223372036854775807KiB", "99999999999999999999", "١"] {
      #expect(SizeArgument(argument: text) == nil, "\(text)")
    }
  }

  @Test func `rates`() throws {
    let good = ["20k/s": 20_000, "100/s": 100, "100": 100, "30/m": 0.5, "1.5M/s": 1_500_000, "3600/h": 1]
    for (text, rate) in good { #expect(try RateArgument(parsing: text).perSecond == rate) }
    for text in ["", "/s", "k/s", "0/s", "-1/s", "1/x", "1/", "1e3/s", "nan", "inf/s", "0x10", "1/s/s"] {
      #expect(RateArgument(argument: text) == nil, "\(text)")
    }
  }

  @Test func `pairs`() throws {
    #expect(try KeyValueArgument(parsing: "a=b=c") == KeyValueArgument(parsing: "a=b=c"))
    let pair = try KeyValueArgument(parsing: "zone=a=b")
    #expect(pair.key == "zone" && pair.value == "a=b")
    #expect(try KeyValueArgument(parsing: "zone=").value == "")
    for text in ["", "=", "=b", "zone"] { #expect(KeyValueArgument(argument: text) == nil) }
  }

  private struct Command: ParsableCommand {
    @Option(transform: SizeArgument.init(parsing:)) var size = SizeArgument(bytes: 1)
  }

  @Test func `the parser says why a value is wrong`() throws {
    func message(_ arguments: [String]) throws -> String {
      let error = try #require(throws: (any Error).self) { try Command.parse(arguments) }
      return Command.message(for: error)
    }
    #expect(try message(["--size", "3q"]).contains("\"3q\" is no size; write 100, 64KiB or 1MB"))
    #expect(try Command.parse(["--size", "2KiB"]).size.bytes == 2048)
  }

  @Test func `an unknown format names the one that was meant`() throws {
    let error = try #require(throws: GridError.self) { try OutputFormat(parsing: "YAMl") }
    #expect(error.code == .usage && error.hint?.hasPrefix("similar: yaml; one of table, wide") == true)
    #expect(try #require(throws: GridError.self) { try OutputFormat(parsing: "") }.hint?.hasPrefix("one of") == true)
  }
}
