internal import Grid
internal import GridTestKit
internal import Testing

@Suite("Clusters of nodes", .timeLimit(.minutes(5)))
struct ClusterTests {
  @Test("a node that leaves: its peers know, its names are free, asks that wait are told")
  func leave() async throws {
    let gate = Gate()
    try await withCluster("a", "b", "c", kinds: { $0.register("patient") { _ in PatientActor(gate: gate) } }) {
      cluster in
      let node = try cluster["a"]
      let first = try await cluster["b"].spawn("patient", "target")
      try await collecting(try await node.events()) { events in
        try await withThrowingTaskGroup(of: GridError.Code?.self) { group in
          group.addTask { try await code { _ = try await node.ask("target", Message("x"), timeout: .seconds(60)) } }
          try await wait(for: "the ask to be in hand") { gate.arrived.count == 1 }
          try await cluster.stop("b")
          let outcome = try await group.next()
          #expect(outcome == .stopped || outcome == .nodeLost)
        }
        for name in ["a", "c"] {
          try await wait(for: "\(name) to know") {
            try await cluster[name].peers().filter { $0.status == .alive }.map(\.name) == ["a", "c"]
          }
        }
        try await wait(for: "the event") { events.all.contains { $0.kind == .peer && $0.name == "b" } }
        #expect(events.all.last { $0.kind == .peer && $0.name == "b" }?.fact == .peerLeft)
      }
      #expect(try await code { try await node.tell("target", Message("x")) } == .noSuchActor)
      let second = try await cluster["c"].spawn("patient", "target")
      #expect(second.node == "c" && second.epoch > first.epoch)
    }
  }

  @Test("events tell of actors in the order of what happened, numbered without a gap")
  func events() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      try await collecting(try await node.events()) { events in
        for number in 0..<20 {
          try await node.spawn("echo", "actor\(number)")
          try await node.stop("actor\(number)")
        }
        try await wait(for: "all events") { events.all.count { $0.kind == .actor } == 40 }
        let actors = events.all.filter { $0.kind == .actor }
        #expect(actors.map(\.name) == (0..<40).map { "actor\($0 / 2)" })
        for (number, event) in actors.enumerated() {
          switch event.fact {
          case .actorSpawned(kind: "echo", let epoch): #expect(number % 2 == 0 && epoch > 0)
          case .actorEnded(.request, let epoch): #expect(number % 2 == 1 && epoch > 0)
          default: Issue.record("\(event)")
          }
          #expect(event.node == "a")
        }
        let numbers = events.all.map(\.sequence)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
      }
    }
  }

  @Test("every one of a storm of dead letters is kept")
  func storm() async throws {
    try await withCluster("a", kinds: { $0.register("storm") { _ in StormActor() } }) { cluster in
      let node = try cluster["a"]
      for number in 0..<4 { try await node.spawn("storm", "storm\(number)") }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<4 {
          group.addTask { _ = try await node.ask("storm\(number)", Message("2500"), timeout: .seconds(60)) }
        }
        try await group.waitForAll()
      }
      try await cluster.stop("a")
      let counts = try await cluster.counts(of: "a")
      #expect(counts.kept == 10_000 && counts.folded == 0 && counts.dropped == 0)
      let letters = try await cluster.letters(of: "a")
      #expect(letters.reduce(0) { $0 + $1.count } == 10_000)
      #expect(Set(letters.map(\.target)) == ["nobody"])
    }
  }

  @Test("beyond its capacity a node drops its oldest letters, and counts them")
  func capacity() async throws {
    let kinds: (inout KindRegistry) -> Void = { $0.register("storm") { _ in StormActor() } }
    try await withCluster("a", kinds: kinds, configure: { $0.deadLetterCapacity = 10 }) { cluster in
      let node = try cluster["a"]
      try await node.spawn("storm", "storm")
      for _ in 0..<5 { _ = try await node.ask("storm", Message("500"), timeout: .seconds(60)) }
      try await cluster.stop("a")
      let counts = try await cluster.counts(of: "a")
      #expect(counts.kept <= 10)
      #expect(counts.kept + counts.folded + counts.dropped == 2500)
    }
  }

  @Test("dead letters are told to whoever listens")
  func deadLetters() async throws {
    try await withCluster("a") { cluster in
      let node = try cluster["a"]
      try await collecting(try await node.deadLetters()) { letters in
        for number in 0..<20 {
          #expect(try await code { try await node.tell("nobody", Message("\(number)")) } == .noSuchActor)
        }
        try await wait(for: "the letters") { letters.count == 20 }
        #expect(letters.all.map(\.message.text) == (0..<20).map { "\($0)" })
        #expect(letters.all.allSatisfy { $0.reason == .noSuchActor && $0.target == "nobody" && $0.node == "a" })
      }
    }
  }

  @Test("a node whose lease is lost stops its actors, joins again, and is of use again")
  func lostLease() async throws {
    let server = InMemoryStoreServer()
    let gate = Gate()
    let store: @Sendable () -> any CoordinationStore = { InMemoryCoordinationStore(server: server) }
    let kinds: (inout KindRegistry) -> Void = { $0.register("patient") { _ in PatientActor(gate: gate) } }
    try await withCluster("a", "b", kinds: kinds, configure: { $0.store = store() }) { cluster in
      let node = try cluster["a"]
      let first = try await node.spawn("patient", "target")
      try await node.tell("target", Message("in hand"))
      try await node.tell("target", Message("waiting"))
      let incarnation = try await node.peers().first { $0.name == "a" }?.incarnation ?? 0
      server.endAllLeases()
      for name in ["a", "b"] {
        try await wait(for: "\(name) to be a member again, and to know both") {
          let peers = try await cluster[name].peers().filter { $0.status == .alive }
          return peers.count == 2 && peers.allSatisfy { $0.incarnation > incarnation }
        }
      }
      try await wait(for: "the name to be free") {
        try await code { try await cluster["b"].tell("target", Message("lost")) } == .noSuchActor
      }
      let second = try await cluster["b"].spawn("patient", "target")
      #expect(second.epoch > first.epoch)
      try await node.tell("target", Message("again"))
      try await wait(for: "the new actor") { gate.arrived.all.last == "again" }
      try await cluster.stop("a")
      let stopped = try await cluster.letters(of: "a").filter { $0.reason == .stopped }.map(\.message.text)
      #expect(stopped == ["in hand", "waiting"])
    }
  }
}
