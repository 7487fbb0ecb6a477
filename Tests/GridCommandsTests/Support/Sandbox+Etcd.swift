import Foundation
import Testing

/// The coordination stores that scenarios run on.
enum ScenarioStore: String, CaseIterable, Sendable {
  case embedded, etcd
}

extension Sandbox {
  /// Makes an etcd of this sandbox's own answer; `etcd` begins it again from what is in its directory.
  ///
  /// - Returns: its port; `GRIDCTL_STORE` says where it is.
  func startEtcd(port given: Int? = nil) async throws -> Int {
    let port = given ?? Int.random(in: 20_000...29_999) * 2
    let (clients, peers) = ("http://127.0.0.1:\(port)", "http://127.0.0.1:\(port + 1)")
    try await output(
      """
      etcd --data-dir etcd --listen-client-urls \(clients) --advertise-client-urls \(clients) \
        --listen-peer-urls \(peers) --initial-advertise-peer-urls \(peers) \
        --initial-cluster default=\(peers) >etcd.log 2>&1 & echo $! >etcd.pid
      for n in $(seq 600); do ETCDCTL_API=3 etcdctl --endpoints \(clients) get x >get 2>&1 && exit; sleep 0.05; done
      cat etcd.log; exit 1
      """)
    return port
  }

  /// The words that make `start` begin a node on the store.
  func prepare(_ store: ScenarioStore) async throws -> String {
    switch store {
    case .embedded: ""
    case .etcd: "--store etcd://127.0.0.1:\(try await startEtcd())"
    }
  }
}
