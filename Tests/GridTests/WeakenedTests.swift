internal import Testing

@testable internal import Grid

@Suite("What weakens the defaults") struct WeakenedTests {
  #if Etcd
    @Test(
      "a store that is spoken to in clear text over a network",
      arguments: [
        ("embedded", [:], false), ("etcd://127.0.0.1:2379", [:], false), ("etcd://localhost,[::1]:5/team", [:], false),
        ("etcd://10.0.0.9:2379", [:], true), ("etcd://localhost,me@store.example/team", [:], true),
        ("etcd://127.example.org", [:], true), ("etcds://10.0.0.9", [:], false),
        ("etcd://10.0.0.9", ["GRIDCTL_ETCD_CA": "/etc/ca.pem"], false),
      ] as [(String, [String: String], Bool)])
    func store(_ store: String, _ environment: [String: String], _ isInClearText: Bool) {
      var configuration = NodeConfiguration(environment: environment)
      configuration.coordination = store
      #expect(configuration.weakened.contains("--store etcd:// in clear text") == isInClearText)
    }
  #endif
}
