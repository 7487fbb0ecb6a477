internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridStoreSQLite

private let storeEngines = [
  CoordinationStoreConformance.Engine("embedded", timeToLive: .seconds(3)) { count, body in
    try await withStores(count) { try await body($0) }
  },
  CoordinationStoreConformance.Engine("memory", timeToLive: .seconds(1)) { count, body in
    let server = InMemoryStoreServer()
    try await body((0..<count).map { _ in InMemoryCoordinationStore(server: server) })
  },
]

private let logEngines = [
  DeadLetterLogConformance.Engine("embedded") { capacity, body in
    try await withTemporaryDirectory { directory in
      try await body(try await SQLiteDeadLetterLog(path: directory + "/letters.sqlite", capacity: capacity))
    }
  },
  DeadLetterLogConformance.Engine("memory") { capacity, body in
    try await body(InMemoryDeadLetterLog(capacity: capacity))
  },
]

@Suite("Conformance of the embedded store and of its twin in memory", .timeLimit(.minutes(5)))
struct ConformanceTests {
  @Test("coordination store", arguments: storeEngines, CoordinationStoreConformance.cases)
  func store(engine: CoordinationStoreConformance.Engine, testCase: CoordinationStoreConformance.Case) async throws {
    try await testCase.run(on: engine)
  }

  @Test("dead-letter log", arguments: logEngines, DeadLetterLogConformance.cases)
  func log(engine: DeadLetterLogConformance.Engine, testCase: DeadLetterLogConformance.Case) async throws {
    try await testCase.run(on: engine)
  }
}
