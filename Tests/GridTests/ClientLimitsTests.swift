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

  @Test("each is refused by its name just beyond its limit")
  func each() {
    #expect(ClientLimits.objection(to: request(), requests: 1024, channels: 256) == nil)
    #expect(ClientLimits.objection(to: request(4 << 20), requests: 1, channels: 0) == nil)
    let cases: [(GridError?, GridError.Code, String)] = [
      (ClientLimits.objection(to: request(), requests: 1025, channels: 0), .retryLater, "more than 1024 requests"),
      (ClientLimits.objection(to: request(), requests: 1, channels: 257), .retryLater, "more than 256 lists and streams"),
      (ClientLimits.objection(to: request((4 << 20) + 1), requests: 1, channels: 0), .undecodable, "4194304 are allowed"),
    ]
    for (error, code, told) in cases {
      #expect(error?.code == code && error?.message.contains(told) == true && error?.hint != nil, "\(told)")
    }
  }
}
