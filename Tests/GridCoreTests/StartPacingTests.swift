internal import GridCore
internal import Testing

@Suite struct StartPacingTests {
  private static func second(_ number: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: Int64(number * 1_000_000_000))
  }

  private static let plain = Backoff(first: .milliseconds(100), limit: .seconds(30))

  /// What happens to something that is to run all the time.
  enum Step: Sendable {
    case runs(Int64?)
    case stumbles
    case fails
    case stops
  }

  @Test(
    arguments: [
      ("it is started at once, and is well", [(0, .runs(1))], 0, 0, true),
      ("failures in a row are counted", [(0, .fails), (1, .fails), (2, .fails)], 3, 0.4, false),
      ("a start alone is no sign of health", [(0, .fails), (1, .runs(1)), (2, .fails), (3, .runs(2))], 2, 0, false),
      ("a minute is", [(0, .fails), (1, .runs(1)), (61, .runs(1))], 0, 0, true),
      ("just less is not", [(0, .fails), (1, .runs(1)), (60.9, .runs(1))], 1, 0, false),
      ("another activation begins anew", [(0, .fails), (1, .runs(1)), (40, .runs(2)), (70, .runs(2))], 1, 0, false),
      ("so does a pause", [(0, .fails), (1, .runs(1)), (40, .runs(nil)), (41, .runs(1)), (70, .runs(1))], 1, 0, false),
      ("a stumble counts", [(0, .runs(1)), (1, .stumbles), (2, .stumbles), (3, .fails)], 3, 0.4, false),
      ("and begins the minute anew", [(0, .runs(1)), (30, .stumbles), (80, .runs(1))], 1, 0, false),
      ("a failure after a good minute is the first", [(0, .fails), (1, .runs(1)), (90, .fails)], 1, 0.1, false),
      ("what is stopped starts at once", [(0, .runs(1)), (5, .stops)], 0, 0, false),
      ("the pauses end at half a minute", (0..<40).map { (Double($0), .fails) }, 40, 30, false),
    ] as [(String, [(Double, Step)], Int, Double, Bool)])
  func `pauses grow with failures in a row`(
    _ what: String, _ steps: [(Double, Step)], _ failures: Int, _ pause: Double, _ isWell: Bool
  ) {
    var pacing = StartPacing(backoff: Self.plain)
    var generator = SeededGenerator(seed: 1)
    var (lastPause, well) = (Duration.zero, false)
    for (time, step) in steps {
      let now = Self.second(time)
      (lastPause, well) = (.zero, false)
      switch step {
      case .runs(let epoch): well = pacing.runs(epoch, at: now)
      case .stumbles: pacing.stumbled("it failed", at: now)
      case .fails:
        lastPause = pacing.failed("it failed", at: now, using: &generator)
        #expect(pacing.nextStart == now + lastPause, "\(what)")
      case .stops: pacing.stopped(at: now)
      }
    }
    #expect(pacing.failures == failures, "\(what)")
    #expect(lastPause == .milliseconds(Int64(pause * 1000)), "\(what)")
    #expect(well == isWell, "\(what)")
    #expect((pacing.lastReason != nil) == (failures > 0), "\(what)")
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `what fails at once is started twenty times in five minutes, not in step`(_ seed: UInt64) {
    var (pacing, other) = (StartPacing(), StartPacing())
    var (generator, another) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed + 100))
    var (starts, now) = (0, Self.second(0))
    var pauses: [(Duration, Duration)] = []
    while now < Self.second(300) {
      starts += 1
      let pause = pacing.failed("it failed", at: now, using: &generator)
      pauses.append((pause, other.failed("it failed", at: now, using: &another)))
      #expect(pause <= .seconds(30))
      now = now + pause
    }
    #expect((16...22).contains(starts), "\(starts)")
    #expect(pauses.contains { $0 != $1 })
  }
}

@Suite struct SingletonReportTests {
  @Test func `what all nodes say becomes one report`() throws {
    func time(_ second: Int64) -> CalendarTime { CalendarTime(millisecondsSince1970: second * 1000) }
    let merged = SingletonReport.merged([
      SingletonReport(name: "a", keepers: ["n1"], node: "n2", token: 7),
      SingletonReport(name: "a", keepers: ["n2"], node: "n2", token: 7, since: time(5), failures: 2, lastFailure: "x"),
      SingletonReport(name: "a", keepers: ["n3"], failures: 1, lastFailure: "y", nextStart: time(9)),
      SingletonReport(name: "b", keepers: ["n2"], failures: 1, lastFailure: "z", nextStart: time(9)),
      SingletonReport(name: "b", keepers: ["n1"], failures: .max, lastFailure: "w", nextStart: time(8)),
    ])
    #expect(
      merged == [
        SingletonReport(
          name: "a", keepers: ["n1", "n2", "n3"], node: "n2", token: 7, since: time(5), failures: 3, lastFailure: "x"),
        SingletonReport(name: "b", keepers: ["n1", "n2"], failures: .max, lastFailure: "w", nextStart: time(8)),
      ])
    for report in merged { #expect(try SingletonReport(json: report.json) == report) }
    #expect(throws: GridError.self) { try SingletonReport(json: ["node": "n1"]) }
  }
}
