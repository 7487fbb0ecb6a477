internal import GridConcurrency
internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridCluster
@testable internal import GridTestKit

/// The store that misbehaves as etcd does, by dice.
@Suite("A store that misbehaves", .timeLimit(.minutes(5)))
struct StoreFaultTests {
  private let clock = ManualClock()

  private func faults(_ set: (inout StoreFaults) -> Void) -> StoreFaults {
    var faults = StoreFaults()
    set(&faults)
    return faults
  }

  private func put(_ key: String, _ value: String = "", lease: Int64 = 0) -> StoreTransaction {
    StoreTransaction(then: [.put(key: key, value: Array(value.utf8), lease: lease)])
  }

  /// Runs `body` while time passes.
  private func passing<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let clock = clock
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        while !Task.isCancelled {
          clock.advance(by: .milliseconds(10))
          try? await Task.sleep(for: .microseconds(100))
        }
        return nil
      }
      group.addTask { try await body() }
      defer { group.cancelAll() }
      return try #require(try await group.next() ?? nil)
    }
  }

  @Test("the dice fall the same way for the same seed, and as often as they are told to")
  func dice() {
    let faults = faults {
      $0.lostRequests = 0.1
      $0.lostAnswers = 0.2
      $0.lateRequests = 0.3
    }
    func fates(_ seed: UInt64) -> [StoreMischief.Fate] {
      var mischief = StoreMischief(faults, SeededDice(seed: seed))
      return (0..<10_000).map { _ in mischief.fate() }
    }
    #expect(fates(1) == fates(1))
    #expect(fates(1) != fates(2))
    let counted = fates(3).reduce(into: [0, 0, 0, 0]) { counts, fate in
      switch fate {
      case .lost: counts[0] += 1
      case .answerLost: counts[1] += 1
      case .late: counts[2] += 1
      case .carriedOut: counts[3] += 1
      }
    }
    for (count, expected) in zip(counted, [1000, 2000, 3000, 4000]) { #expect(abs(count - expected) < 200) }
  }

  @Test("a request whose answer is lost was carried out, one that was lost was not, one that is late comes later")
  func requests() async throws {
    let server = InMemoryStoreServer(timers: clock)
    let store = InMemoryCoordinationStore(server: server)
    for (number, faults) in [
      faults { $0.lostAnswers = 1 }, faults { $0.lostRequests = 1 }, faults { $0.lateRequests = 1 },
    ].enumerated() {
      server.setFaults(faults)
      await #expect(throws: GridError(.unavailable, "")) {
        try await passing { try await store.commit(put("k\(number)")) }
      }
      #expect(server.entries.map(\.key).contains("k\(number)") == (number == 0))
    }
    clock.advance(by: .seconds(5))
    #expect(server.entries.map(\.key) == ["k0", "k2"])
  }

  @Test("a store that is away: leases are lost to their holders; it may have prolonged or forgotten them")
  func absence() async throws {
    for (isForgotten, isProlonged) in [(false, false), (true, false), (false, true)] {
      let server = InMemoryStoreServer(
        timers: clock,
        faults: faults {
          $0.forgottenLeases = isForgotten ? 1 : 0
          $0.prolongedLeases = isProlonged ? 1 : 0
        })
      let store = InMemoryCoordinationStore(server: server)
      let (short, long) = (LeaseRecorder(), LeaseRecorder())
      let leases = [
        try await store.grantLease(timeToLive: .seconds(2), observer: short),
        try await store.grantLease(timeToLive: .seconds(60), observer: long),
      ]
      for (number, lease) in leases.enumerated() {
        _ = try await store.commit(put("k\(number)", lease: lease.identifier))
      }
      server.setAway(true)
      await #expect(throws: GridError(.unavailable, "")) { _ = try await store.get("k0") }
      clock.advance(by: .seconds(3))
      #expect(short.losses.count == 1 && long.losses.isEmpty)
      #expect(server.entries.count == 2, "the store has not heard of it")
      server.setAway(false)
      clock.advance(by: .milliseconds(10))
      #expect(server.entries.map(\.key) == (isForgotten ? [] : isProlonged ? ["k0", "k1"] : ["k1"]))
      clock.advance(by: .seconds(21))
      #expect(server.entries.map(\.key) == (isForgotten ? [] : ["k1"]))
      #expect(long.losses.count == (isForgotten ? 1 : 0))
    }
  }

  private final class Told: Sendable {
    let entries = Mutex<[String: String]>([:])
  }

  @Test("a mirror comes to be the store, whatever happened to its requests and its watch", arguments: 0..<12)
  func mirror(seed: UInt64) async throws {
    var bad = StoreFaults.badTimes
    bad.timeout = .milliseconds(500)
    let server = InMemoryStoreServer(timers: clock, faults: bad, generator: SeededDice(seed: seed))
    let (writer, reader) = (InMemoryCoordinationStore(server: server), InMemoryCoordinationStore(server: server))
    let mirror = StoreMirror(store: reader, prefix: "k/") { String(decoding: $0.value, as: UTF8.self) }
    let told = Told()
    let clock = clock
    try await passing {
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          while !Task.isCancelled {
            try? await mirror.follow({ event in
              guard case .news(let news) = event else { return }
              told.entries.withLock { $0[news.name] = news.value }
            })
            await clock.sleep(for: .milliseconds(50))
          }
        }
        var dice = SeededDice(seed: seed + 1000)
        for step in 0..<300 {
          let key = "k/\(Int.random(in: 0..<20, using: &dice))"
          _ = try? await writer.commit(
            Int.random(in: 0..<3, using: &dice) == 0
              ? StoreTransaction(then: [.delete(key: key)]) : put(key, "\(step)"))
        }
        server.setFaults(StoreFaults())
        server.setAway(false)
        // What was late comes within the time that it may take.
        await clock.sleep(for: .seconds(40))
        group.cancelAll()
      }
    }
    let there = Dictionary(
      server.entries.map { (String($0.key.dropFirst(2)), String(decoding: $0.value, as: UTF8.self)) }
    ) { $1 }
    #expect(told.entries.withLock { $0 } == there, "seed \(seed)")
    #expect(mirror.all.count == there.count)
  }
}
