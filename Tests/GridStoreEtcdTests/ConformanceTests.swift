internal import GridCore
internal import GridSystem
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreEtcd

/// Hands `body` so many clients of a real etcd of its own.
private let engine = CoordinationStoreConformance.Engine("etcd", timeToLive: .seconds(2)) { count, body in
  try await EtcdServers.with { servers in
    var stores: [any CoordinationStore] = []
    for _ in 0..<count { stores.append(try EtcdCoordinationStore(servers.configuration, clock: SystemClock())) }
    try await body(stores)
  }
}

@Suite("Conformance of the etcd store", .serialized, .timeLimit(.minutes(10)))
struct ConformanceTests {
  @Test("coordination store", arguments: CoordinationStoreConformance.cases)
  func store(testCase: CoordinationStoreConformance.Case) async throws { try await testCase.run(on: engine) }
}
