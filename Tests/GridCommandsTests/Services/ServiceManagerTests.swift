internal import Grid
internal import GridCore
internal import GridSystem
internal import Logging
internal import Testing

@testable internal import GridCommands

@Suite struct ServiceManagerTests {
  @Test(arguments: [
    ("/run/notify", Array("/run/notify".utf8)), ("@name", [0] + Array("name".utf8)),
    ("/" + String(repeating: "d", count: 106), Array(("/" + String(repeating: "d", count: 106)).utf8)),
  ])
  func `addresses of sockets`(_ text: String, _ expected: [UInt8]) throws {
    #expect(try NotifySocket(parsing: text).address == expected)
  }

  @Test(arguments: ["", "/", "@", "relative", "vsock:2:1", "/" + String(repeating: "d", count: 107)])
  func `what is no address`(_ text: String) throws {
    #expect(try #require(throws: GridError.self) { try NotifySocket(parsing: text) }.code == .configuration)
  }

  @Test(arguments: [
    ("20000000", nil as String?, Duration.seconds(20) as Duration?), ("20000000", "", .seconds(20)),
    ("20000000", "42", .seconds(20)), ("20000000", "43", nil), ("0", nil, nil), ("-1", nil, nil), ("x", nil, nil),
    ("99999999999999999999", nil, nil), ("", nil, nil),
  ])
  func `who is watched, and how closely`(_ interval: String, _ process: String?, _ expected: Duration?) {
    #expect(ServiceManager.watchdog(interval: interval, process: process, own: 42) == expected)
  }

  @Test func `nobody is told where no manager is`() throws {
    let logger = Logger(label: "test")
    for environment in [[:], ["NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000"]] {
      #expect(
        try ServiceManager(environment: environment, process: 1, isDetached: false, logger: logger) == nil)
    }
  }

  @Test func `the line of the state`() {
    var pulse = NodePulse(
      name: "n1", namespace: "shop", address: "10.0.0.1:4743", problem: nil, nodes: 3, actors: 1)
    #expect(ServiceManager.status(pulse) == "node n1 of namespace shop at 10.0.0.1:4743: 3 nodes, 1 actor here")
    pulse.problem = "the store\nis away"
    #expect(
      ServiceManager.status(pulse)
        == "node n1 of namespace shop at 10.0.0.1:4743, outside of the cluster: the store\\nis away")
  }
}
