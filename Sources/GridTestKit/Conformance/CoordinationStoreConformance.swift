package import GridCore

/// The behaviour that every coordination store must have, as named cases.
///
/// A test runs each case on each engine:
///
///     @Test(arguments: CoordinationStoreConformance.cases)
///     func conforms(_ testCase: CoordinationStoreConformance.Case) async throws {
///       try await testCase.run(on: engine)
///     }
///
/// Each case works under a key prefix of its own, so that cases can run at once on one store, and waits for what it
/// expects with a deadline. It assumes no more of revisions than that they grow.
package enum CoordinationStoreConformance {
  /// An engine, and how to get at it.
  package struct Engine: Sendable, CustomStringConvertible {
    /// Hands `body` so many clients of one and the same store, and clears up when it is done.
    package typealias WithClients =
      @Sendable (_ count: Int, _ body: @Sendable ([any CoordinationStore]) async throws -> Void) async throws -> Void

    package var name: String
    /// A short life for leases, not below the engine's floor.
    package var timeToLive: Duration
    /// How long a case waits for something before it fails.
    package var patience: Duration
    let withClients: WithClients

    package init(
      _ name: String, timeToLive: Duration = .seconds(1), patience: Duration = .seconds(60),
      withClients: @escaping WithClients
    ) {
      self.name = name
      self.timeToLive = timeToLive
      self.patience = patience
      self.withClients = withClients
    }

    package var description: String { name }
  }

  /// One expectation.
  package struct Case: Sendable, CustomStringConvertible {
    package let name: String
    let clients: Int
    let body: @Sendable (Trial) async throws -> Void

    init(_ name: String, clients: Int = 1, _ body: @escaping @Sendable (Trial) async throws -> Void) {
      self.name = name
      self.clients = clients
      self.body = body
    }

    /// Holds the engine to this expectation.
    ///
    /// - Throws: ``ConformanceFailure`` with what was expected and what came, or the engine's own error.
    package func run(on engine: Engine) async throws {
      let body = body
      try await engine.withClients(clients) { clients in
        guard let first = clients.first else { throw ConformanceFailure("the engine made no client") }
        let trial = Trial(engine: engine, clients: clients, store: first)
        do {
          try await body(trial)
          await trial.close()
        } catch {
          await trial.close()
          throw error
        }
      }
    }

    package var description: String { name }
  }

  /// Every case.
  package static let cases: [Case] = entryCases + transactionCases + valueCases + watchCases + leaseCases

  /// What a case works with.
  struct Trial: Sendable {
    let engine: Engine
    let clients: [any CoordinationStore]
    /// The first of the clients.
    let store: any CoordinationStore
    /// A prefix that no other trial has.
    let root: String

    init(engine: Engine, clients: [any CoordinationStore], store: any CoordinationStore) {
      self.engine = engine
      self.clients = clients
      self.store = store
      root = "/conformance/\(UInt64.random(in: 0...UInt64.max))/"
    }

    var patience: Duration { engine.patience }

    /// The client of that number, counted from 0; the first one again when there are too few.
    func client(_ number: Int) -> any CoordinationStore { number < clients.count ? clients[number] : store }

    func close() async {
      for client in clients {
        // A store that outlives its clients must not keep what a case has left.
        if let left = try? await client.range(prefix: root).entries, !left.isEmpty {
          for start in stride(from: 0, to: left.count, by: 100) {
            let keys = left[start..<min(start + 100, left.count)].map(\.key)
            _ = try? await client.commit(StoreTransaction(then: keys.map { .delete(key: $0) }))
          }
        }
        await client.close()
      }
    }

    /// Writes one entry unconditionally.
    @discardableResult
    func put(_ key: String, _ value: String = "", lease: StoreLease? = nil) async throws -> StoreOutcome {
      try await store.commit(
        StoreTransaction(then: [
          .put(key: root + key, value: Array(value.utf8), lease: lease?.identifier ?? 0)
        ]))
    }

    func get(_ key: String) async throws -> StoreEntry? { try await store.get(root + key) }

    @discardableResult
    func delete(_ key: String) async throws -> StoreOutcome {
      try await store.commit(StoreTransaction(then: [.delete(key: root + key)]))
    }

    /// A lease on the first client, or on another one.
    func lease(
      _ observer: any LeaseObserver = LeaseRecorder(), of client: (any CoordinationStore)? = nil
    ) async throws -> StoreLease {
      try await (client ?? store).grantLease(timeToLive: engine.timeToLive, observer: observer)
    }

    /// Runs `body` and expects an error of that code.
    func expectError(
      _ code: GridError.Code, _ what: String, line: Int = #line, _ body: () async throws -> Void
    ) async throws {
      do {
        try await body()
      } catch let error as GridError {
        try expectEqual(error.code, code, "the error of \(what) (\(error))", line: line)
        return
      }
      throw ConformanceFailure("\(what) should fail with \(code), and did not", line: line)
    }
  }
}

extension StoreEntry {
  var text: String { String(decoding: value, as: UTF8.self) }
}

extension StoreChange {
  /// The revision of the change.
  var revision: Int64 {
    switch self {
    case .put(let entry): entry.modifyRevision
    case .delete(_, let revision): revision
    }
  }

  /// `+key=value` or `-key`, without the prefix.
  func text(under root: String) -> String {
    let name =
      key.utf8.starts(with: root.utf8) ? String(decoding: key.utf8.dropFirst(root.utf8.count), as: UTF8.self) : key
    switch self {
    case .put(let entry): return "+\(name)=\(entry.text)"
    case .delete: return "-\(name)"
    }
  }
}
