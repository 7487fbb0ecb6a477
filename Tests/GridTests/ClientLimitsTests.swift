internal import GridCore
internal import GridLink
internal import GridRequests
internal import Testing

@testable internal import Grid

@Suite("Limits of a client's connection", .timeLimit(.minutes(5)))
struct ClientLimitsTests {
  private func request(_ bytes: Int = 0) -> RequestFrame {
    RequestFrame(
      correlation: 1, verb: "peers", arguments: [UInt8](repeating: 0x20, count: bytes), remainingMicroseconds: 0)
  }

  @Test("a reader that takes nothing for a minute is given up, once, and one that takes a little is not")
  func standstill() {
    let start = MonotonicTime(nanoseconds: 5)
    var still = Standstill()
    func over(after seconds: Int...) -> [Bool] {
      seconds.map { still.foundNoRoom(at: start + .seconds($0)) }
    }
    #expect(over(after: 0, 59) == [false, false])
    still.foundRoom()
    #expect(over(after: 70, 129, 130, 200) == [false, false, true, false])
  }

  @Test("each is refused by its name just beyond its limit")
  func each() {
    #expect(ClientLimits.objection(to: request(), requests: 1024, channels: 256) == nil)
    #expect(ClientLimits.objection(to: request(4 << 20), requests: 1, channels: 0) == nil)
    let cases: [(GridError?, GridError.Code, String)] = [
      (ClientLimits.objection(to: request(), requests: 1025, channels: 0), .retryLater, "more than 1024 requests"),
      (ClientLimits.objection(to: request(), requests: 1, channels: 257), .retryLater, "more than 256 lists"),
      (ClientLimits.objection(to: request((4 << 20) + 1), requests: 1, channels: 0), .undecodable, "4194304 are"),
    ]
    for (error, code, told) in cases {
      #expect(error?.code == code && error?.message.contains(told) == true && error?.hint != nil, "\(told)")
    }
  }
}
