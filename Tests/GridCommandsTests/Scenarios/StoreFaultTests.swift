import Foundation
import Testing

/// Stores that forget.
@Suite struct StoreFaultTests {
  @Test func tokensGrowAndNobodyDeadLeadsWhenEtcdHasForgottenEverything() async throws {
    try await withSandbox { sandbox in
      let port = try await sandbox.startEtcd()
      let store = "--store etcd://127.0.0.1:\(port)"
      try await sandbox.output("start --name n1 \(store); start --name n2 \(store)")
      let before = try await sandbox.output(
        """
        for i in $(seq 10); do gridctl spawn echo x$i >out && gridctl stop x$i >out; done
        (gridctl leader run nightly -e $(at n1) -- sleep 1000 >led 2>&1) &
        gridctl wait leader/nightly -t 20s; gridctl leader show nightly -o jsonpath=.token
        """)
      try await sandbox.output(
        "process=$(cat etcd.pid); kill -9 $process; while kill -0 $process 2>none; do sleep 0.02; done; rm -rf etcd")
      _ = try await sandbox.startEtcd(port: port)
      // The leases are gone with it: soon nobody leads, and nobody is said to.
      let list = try await sandbox.eventually("gridctl leader show -o name -e $(at n2)") {
        $0.status == 0 && $0.output == ""
      }
      #expect(list.output == "" && list.status == 0, "\(list)")
      try await sandbox.output("gridctl wait 'peers>=2' -e $(at n1) -t 30s; gridctl wait 'peers>=2' -e $(at n2) -t 30s")
      let after = try await sandbox.output(
        """
        (gridctl leader run nightly -e $(at n2) -- sleep 1000 >led 2>&1) &
        gridctl wait leader/nightly -e $(at n1) -t 20s; gridctl leader show nightly -o jsonpath=.token -e $(at n1)
        """)
      let (earlier, later) = (try #require(Int(before)), try #require(Int(after)))
      #expect(later > earlier, "a token must never fall")
      let leader = try await sandbox.output("gridctl leader show nightly -o jsonpath=.node -e $(at n1)")
      #expect(leader == "n2")
      // Names too are free, and theirs grow.
      try await sandbox.output("gridctl spawn counter hits --on n1")
      let epoch = try #require(Int(try await sandbox.output("gridctl inspect hits -o jsonpath=.epoch")))
      #expect(epoch > later)
    }
  }
}
