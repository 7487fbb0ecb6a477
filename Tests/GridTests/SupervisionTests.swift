internal import Grid
internal import Testing

@Suite("Supervision of actors", .timeLimit(.minutes(5)))
struct SupervisionTests {
  private func kinds(
    _ log: Collected<String>, restarts: Int, directive: SupervisionDirective? = nil
  ) -> (inout KindRegistry) -> Void {
    let policy = RestartPolicy(
      maximumRestarts: restarts, window: .seconds(600),
      backoff: Backoff(first: .milliseconds(5), limit: .milliseconds(20)))
    return { kinds in
      if let directive {
        kinds.register("fragile", restart: policy, directive: { _ in directive }) { _ in FragileActor(log: log) }
      } else {
        kinds.register("fragile", restart: policy) { _ in FragileActor(log: log) }
      }
    }
  }

  @Test("a failed handler starts afresh with its mail; what cannot be decoded costs nothing but itself")
  func restart() async throws {
    let log = Collected<String>()
    try await withCluster("a", kinds: kinds(log, restarts: 10)) { cluster in
      let node = try cluster["a"]
      try await node.spawn("fragile", "target")
      func add(_ text: String) async throws -> String { try await node.ask("target", Message(text)).text }
      #expect(try await add("2") == "2")
      #expect(try await code { _ = try await add("garbage") } == .undecodable)
      #expect(try await add("3") == "5", "the state is kept")
      #expect(try await code { _ = try await add("fail") } == .handlerFailed)
      #expect(try await add("4") == "4", "the state is new")
      #expect(log.all == ["started", "stopped at 5", "started"])
      // Mail that waits through the pause before a restart is handled after it.
      try await node.tell("target", Message("fail"))
      for _ in 0..<10 { try await node.tell("target", Message("1")) }
      #expect(try await add("0") == "10")
      try await cluster.stop("a")
      let letters = try await cluster.letters(of: "a")
      #expect(letters.map(\.reason) == [.undecodable, .handlerFailed, .handlerFailed])
      #expect(letters.map(\.message.text) == ["garbage", "fail", "fail"])
    }
  }

  @Test("restarted because somebody asked: a new state, the same token, the mail waits, and the failures are forgotten")
  func restartByRequest() async throws {
    let log = Collected<String>()
    try await withCluster("a", "b", kinds: kinds(log, restarts: 1)) { cluster in
      let node = try cluster["a"]
      let actor = try await node.spawn("fragile", "target")
      #expect(try await node.ask("target", Message("2")).text == "2")
      // From another node, and twice over what supervision allows.
      for _ in 0..<3 {
        #expect(try await code { _ = try await node.ask("target", Message("fail")) } == .handlerFailed)
        try await cluster["b"].restart("target")
      }
      #expect(try await node.ask("target", Message("4")).text == "4")
      #expect(try await node.peers().count == 2)
      #expect(log.all.count { $0 == "started" } >= 4)
      #expect(try await code { try await cluster["b"].restart("targe") } == .noSuchActor)
      let again = try await code { try await node.spawn("fragile", "target") }
      #expect(again == .nameTaken && actor.epoch > 0)
    }
  }

  @Test("a restart breaks the message in hand off, and keeps those that wait")
  func restartWithMail() async throws {
    let gate = Gate()
    try await withCluster("a", kinds: { $0.register("patient") { _ in PatientActor(gate: gate) } }) { cluster in
      let node = try cluster["a"]
      try await node.spawn("patient", "target")
      try await withThrowingTaskGroup(of: GridError.Code?.self) { group in
        group.addTask { try await code { _ = try await node.ask("target", Message("1"), timeout: .seconds(60)) } }
        try await wait(for: "the first") { gate.arrived.count == 1 }
        for text in ["2", "3"] { try await node.tell("target", Message(text)) }
        // Several at once are one.
        for _ in 0..<3 { group.addTask { try await code { try await node.restart("target") } } }
        let codes = try await group.reduce(into: []) { $0.append($1) }
        #expect(codes.filter { $0 == .handlerFailed }.count == 1 && codes.filter { $0 == nil }.count == 3, "\(codes)")
      }
      // The second and, when there were two restarts after all, the third.
      try await wait(for: "the next") { gate.arrived.count >= 2 }
      #expect(gate.arrived.all[1] == "2")
      try await node.stop("target")
      try await cluster.stop("a")
      let letters = try await cluster.letters(of: "a")
      #expect(letters.map(\.message.text).sorted() == ["1", "2", "3"])
      #expect(letters.contains { $0.detail.contains("was restarted while it had the message in hand") })
    }
  }

  @Test("a handler that does not listen is waited for, and what is wrong is told")
  func restartOfTheDeaf() async throws {
    let gate = Gate()
    try await withCluster("a", kinds: { $0.register("gated") { _ in GatedActor(gate: gate) } }) { cluster in
      let node = try cluster["a"]
      try await node.spawn("gated", "target")
      try await node.tell("target", Message("1"))
      try await wait(for: "the message in hand") { gate.arrived.count == 1 }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await node.restart("target") }
        gate.open()
        try await group.waitForAll()
      }
      #expect(gate.handled.all == ["1"])
      #expect(try await node.ask("target", Message("2")).text == "2")
    }
  }

  @Test("a spent budget stops the actor: its mail becomes dead letters, its name is free")
  func budget() async throws {
    let log = Collected<String>()
    try await withCluster("a", kinds: kinds(log, restarts: 3)) { cluster in
      let node = try cluster["a"]
      let first = try await node.spawn("fragile", "target")
      try await collecting(try await node.events()) { events in
        for _ in 0..<4 {
          #expect(try await code { _ = try await node.ask("target", Message("fail")) } == .handlerFailed)
        }
        try await wait(for: "the end") {
          events.all.contains { event in
            guard case .actorEnded(.supervisionGaveUp(_, restarts: 3, within: _), _) = event.fact else { return false }
            return event.name == "target"
          }
        }
        #expect(events.all.count { $0.name == "target" && $0.fact == .actorRestarted(by: .supervision) } == 3)
      }
      try await wait(for: "the name to be free") {
        try await code { try await node.tell("target", Message("1")) } == .noSuchActor
      }
      let second = try await node.spawn("fragile", "target")
      #expect(second.epoch > first.epoch)
      #expect(try await node.ask("target", Message("7")).text == "7")
    }
  }

  @Test("the directives resume and stop do what they say")
  func directives() async throws {
    let log = Collected<String>()
    try await withCluster("a", kinds: kinds(log, restarts: 3, directive: .resume)) { cluster in
      let node = try cluster["a"]
      try await node.spawn("fragile", "target")
      _ = try await node.ask("target", Message("5"))
      for _ in 0..<10 {
        #expect(try await code { _ = try await node.ask("target", Message("fail")) } == .handlerFailed)
      }
      #expect(try await node.ask("target", Message("1")).text == "6")
    }
    try await withCluster("a", kinds: kinds(log, restarts: 3, directive: .stop)) { cluster in
      let node = try cluster["a"]
      try await node.spawn("fragile", "target")
      #expect(try await code { _ = try await node.ask("target", Message("fail")) } == .handlerFailed)
      try await wait(for: "the end") {
        try await code { try await node.tell("target", Message("1")) } == .noSuchActor
      }
    }
  }

  @Test("an actor that stops itself answers first; its hook runs once; its name is free")
  func stopsItself() async throws {
    let log = Collected<String>()
    try await withCluster("a", kinds: kinds(log, restarts: 3)) { cluster in
      let node = try cluster["a"]
      try await node.spawn("fragile", "target")
      #expect(try await node.ask("target", Message("stop")).text == "0")
      try await wait(for: "the end") {
        try await code { try await node.tell("target", Message("1")) } == .noSuchActor
      }
      #expect(log.all == ["started", "stopped at 0"])
    }
  }

  @Test("stopped with mail in its queue: the handler is cancelled, and every message is accounted for")
  func stopWithMail() async throws {
    let gate = Gate()
    try await withCluster("a", kinds: { $0.register("patient") { _ in PatientActor(gate: gate) } }) { cluster in
      let node = try cluster["a"]
      try await node.spawn("patient", "target")
      for number in 0..<50 { try await node.tell("target", Message("\(number)")) }
      try await wait(for: "the first to be in hand") { gate.arrived.count == 1 }
      try await withThrowingTaskGroup(of: GridError.Code?.self) { group in
        for _ in 0..<5 {
          group.addTask { try await code { _ = try await node.ask("target", Message("ask"), timeout: .seconds(60)) } }
        }
        try await wait(for: "the asks to wait") {
          try await node.spawn(SpawnRequest(kind: "patient", name: "target", ifAbsent: true)).name == "target"
            && gate.arrived.count == 1
        }
        try await node.stop("target")
        for try await outcome in group { #expect(outcome == .stopped || outcome == .noSuchActor) }
      }
      try await cluster.stop("a")
      let letters = try await cluster.letters(of: "a")
      #expect(Set(letters.map(\.message.text)) == Set((0..<50).map { "\($0)" } + ["ask"]))
      #expect(letters.count == 55)
      #expect(Set(letters.map(\.reason)).isSubset(of: [.stopped, .noSuchActor]))
    }
  }

  @Test("a node that leaves with mail in its queues keeps it as dead letters")
  func leaveWithMail() async throws {
    let gate = Gate()
    try await withCluster("a", kinds: { $0.register("patient") { _ in PatientActor(gate: gate) } }) { cluster in
      let node = try cluster["a"]
      for actor in 0..<5 {
        try await node.spawn("patient", "target\(actor)")
        for number in 0..<20 { try await node.tell("target\(actor)", Message("\(number)")) }
      }
      try await cluster.stop("a")
      let letters = try await cluster.letters(of: "a")
      #expect(letters.count == 100)
      #expect(Set(letters.map(\.reason)) == [.stopped])
    }
  }
}
