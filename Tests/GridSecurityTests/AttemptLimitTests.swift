import GridConcurrency
import GridCore
import GridLink
import GridSecurity
import GridTestKit
import Testing

/// Who has failed too often is not listened to for a minute.
@Suite struct AttemptLimitTests {
  private static func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

  @Test func `the tenth failure within a minute shuts the door for a minute`() {
    var limit = AttemptLimit()
    let host = HostGroup("10.0.0.7")
    for second in 0..<9 { limit.failed(host, at: Self.at(Double(second))) }
    #expect(limit.remaining(host, at: Self.at(9)) == nil)
    limit.failed(host, at: Self.at(9))
    #expect(limit.remaining(host, at: Self.at(10)) == .seconds(59))
    #expect(limit.remaining(HostGroup("10.0.0.8"), at: Self.at(10)) == nil)
    #expect(limit.remaining(host, at: Self.at(69)) == nil)
    // Then it counts anew.
    for second in 70..<79 { limit.failed(host, at: Self.at(Double(second))) }
    #expect(limit.remaining(host, at: Self.at(79)) == nil)
  }

  @Test func `failures that are spread over time shut nothing`() {
    var limit = AttemptLimit()
    let host = HostGroup("10.0.0.7")
    for turn in 0..<100 { limit.failed(host, at: Self.at(Double(turn) * 7)) }
    #expect(limit.remaining(host, at: Self.at(694)) == nil)
  }

  @Test func `loopback is never shut`() {
    var limit = AttemptLimit()
    for host in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", ""] {
      for _ in 0..<100 { limit.failed(HostGroup(host), at: Self.at(1)) }
      #expect(limit.remaining(HostGroup(host), at: Self.at(1)) == nil, "\(host)")
    }
  }

  @Test func `so many hosts are known, and the one that failed least lately is forgotten`() {
    var limit = AttemptLimit()
    func host(_ number: Int) -> HostGroup { .version4(UInt32(number)) }
    for number in 0..<AttemptLimit.mostHosts {
      for _ in 0..<AttemptLimit.failures { limit.failed(host(number), at: Self.at(Double(number) / 1000)) }
    }
    #expect(limit.remaining(host(0), at: Self.at(2)) != nil)
    limit.failed(host(5000), at: Self.at(2))
    #expect(limit.remaining(host(0), at: Self.at(2)) == nil)
    #expect(limit.remaining(host(1), at: Self.at(2)) != nil)
  }

  @Test(
    arguments: [
      ("10.1.2.3", HostGroup.version4(0x0A01_0203)), ("::ffff:10.1.2.3", .version4(0x0A01_0203)),
      ("127.0.0.1", .loopback), ("::1", .loopback), ("2001:db8:1:2::1", .version6(0x2001_0DB8_0001_0002)),
      ("2001:db8:1:2:ffff:ffff:ffff:ffff", .version6(0x2001_0DB8_0001_0002)),
      ("fe80::1%eth0", .version6(0xFE80_0000_0000_0000)), ("", .unknown), ("1.2.3", .unknown), ("a.example", .unknown),
    ] as [(String, HostGroup)])
  func `addresses of one network count together`(host: String, group: HostGroup) {
    #expect(HostGroup(host) == group)
  }

  private static func attempt(
    _ code: GridError.Code, host: String = "10.0.0.7", user: UInt32? = nil, isProven: Bool = false
  ) -> LinkAttempt {
    var attempt = LinkAttempt(host: host, user: user, error: GridError(code, "no"))
    attempt.isProven = isProven
    return attempt
  }

  @Test func `the gate says for how long, and then lets them try again`() {
    let clock = ManualClock()
    let gate = LogInGate(clock: clock)
    for _ in 0..<10 { gate.refused(Self.attempt(.refused)) }
    let objection = gate.objection(to: "10.0.0.7")
    #expect(objection?.code == .retryLater && objection?.hint == "nobody from there is let in for 60s more")
    #expect(gate.objection(to: "10.0.0.8") == nil)
    clock.advance(by: .seconds(60))
    #expect(gate.objection(to: "10.0.0.7") == nil)
  }

  @Test func `other versions, slow ones, and those that belong here fail as often as they like`() {
    let gate = LogInGate(clock: ManualClock())
    for _ in 0..<100 {
      gate.refused(Self.attempt(.protocolMismatch))
      gate.refused(Self.attempt(.unavailable))
      gate.refused(Self.attempt(.retryLater))
      gate.refused(Self.attempt(.refused, isProven: true))
      gate.refused(Self.attempt(.refused, host: "", user: 1000))
    }
    #expect(gate.objection(to: "10.0.0.7") == nil && gate.objection(to: "") == nil)
    // What is told are those that were not let in.
    #expect(gate.heard.count == 200)
  }

  @Test func `of a flood so many a minute are told one by one, and the others counted`() {
    var budget = RecordBudget()
    let taken = (0..<RecordBudget.perMinute + 5).map { _ in budget.takes(at: Self.at(0)) }
    #expect(taken.allSatisfy { $0 } == false && taken.count { $0 } == RecordBudget.perMinute)
    let leftOut = [59, 60, 60].map { budget.takeLeftOut(at: Self.at($0)) }
    #expect(leftOut == [0, 5, 0])
    let isTakenAgain = budget.takes(at: Self.at(60))
    #expect(isTakenAgain)
  }

  @Test func `refusals are counted by the minute for a day`() {
    var tally = RefusalTally()
    for minute in 0..<2000 { tally.add("x", at: CalendarTime(millisecondsSince1970: Int64(minute) * 60_000)) }
    func since(_ minute: Int64) -> Int { tally.count(since: CalendarTime(millisecondsSince1970: minute * 60_000)) }
    #expect(since(1990) == 10 && since(0) == 1440 && tally.total == 2000 && tally.last == "x")
  }
}
