import GridCore
import Testing

/// Every event there is: its kind and word, its members, and its text for people.
@Suite struct EventTests {
  private static let failure = GridError(.handlerFailed, "it broke", hint: "mend it", cause: "a bolt")

  static let table: [(fact: GridEvent.Fact, kind: GridEvent.Kind, word: String, text: String)] = [
    (.nodeJoined(namespace: "shop", incarnation: 7), .node, "joined", "joined namespace shop as incarnation 7"),
    (.nodeLeaves, .node, "leaves", "leaves"),
    (
      .nodeLostMembership(failure), .node, "lost-membership",
      "lost its membership, stops its actors and joins again: it broke (a bolt)"
    ),
    (
      .certificateExpires(at: CalendarTime(millisecondsSince1970: 0)), .node, "certificate-expires",
      "its certificate expires at 1970-01-01T00:00:00.000Z"
    ),
    (
      .logInRefused(from: "10.0.0.7", as: "client", count: 1, failure), .node, "login-refused",
      "refused a log-in from 10.0.0.7 as \"client\": it broke"
    ),
    (
      .logInRefused(from: "", as: "", count: 12, failure), .node, "login-refused",
      "refused 12 more log-ins, the last: it broke"
    ),
    (.peerJoined(address: "10.0.0.2:4743"), .peer, "joined", "joined at 10.0.0.2:4743"),
    (.peerLeft, .peer, "left", "left"), (.peerDied, .peer, "died", "died"),
    (.actorSpawned(kind: "echo", epoch: 3), .actor, "spawned", "spawned as kind echo"),
    (.actorEnded(.request, epoch: 3), .actor, "ended", "stopped by request"),
    (
      .actorFailed(failure, restartsIn: .milliseconds(250)), .actor, "failed",
      "failed, restarts in 250ms: it broke (a bolt)"
    ),
    (.actorRestarted(by: .request), .actor, "restarted", "restarted by request"),
    (.actorRestarted(by: .supervision), .actor, "restarted", "restarted"),
    (
      .singletonFailed(failure, count: 1, startsIn: .milliseconds(100)), .actor, "singleton-failed",
      "singleton failed once, is started again in 100ms: it broke (a bolt)"
    ),
    (
      .singletonFailed(failure, count: 2, startsIn: .seconds(30)), .actor, "singleton-failed",
      "singleton failed 2 times in a row, is started again in 30s: it broke (a bolt)"
    ),
    (.leaderElected(node: "n2", token: 41), .leader, "elected", "n2 leads with token 41"),
    (.leaderLost, .leader, "lost", "has no leader"), (.linkOpened, .link, "opened", "opened"),
    (.linkClosed(failure), .link, "closed", "closed: it broke"),
    (.other(.link, text: "bent"), .link, "other", "bent"),
  ]

  static let reasons: [(reason: TerminationReason, word: String, text: String)] = [
    (.request, "request", "stopped by request"), (.killed, "killed", "stopped by request"),
    (.handlerDidNotReturn, "handler-did-not-return", "stopped by request, its handler did not return"),
    (.itself, "itself", "stopped itself"), (.nodeLeaves, "node-leaves", "stopped: the node leaves"),
    (.leaseLost, "lease-lost", "stopped: the node lost its lease"),
    (.failed(failure), "failed", "stopped: it broke (a bolt)"),
    (
      .supervisionGaveUp(failure, restarts: 3, within: .seconds(60)), "supervision-gave-up",
      "stopped: restarted 3 times within 1m, then failed again: it broke (a bolt)"
    ),
    (
      .supervisionGaveUp(failure, restarts: 1, within: .seconds(1)), "supervision-gave-up",
      "stopped: restarted once within 1s, then failed again: it broke (a bolt)"
    ),
    (.cannotBeMadeAgain(failure), "cannot-be-made-again", "stopped: cannot be made again: it broke (a bolt)"),
    (.couldNotStart(failure), "could-not-start", "stopped: it could not start: it broke (a bolt)"),
    (.startBrokenOff, "start-broken-off", "stopped: the node left or lost its lease before it could start"),
    (.stoppedBeforeStart, "stopped-before-start", "stopped before it had started"),
    (.benchmarkIsOver, "benchmark-is-over", "stopped: the benchmark is over"),
  ]

  private func event(_ fact: GridEvent.Fact) -> GridEvent {
    GridEvent(
      sequence: 9, at: CalendarTime(millisecondsSince1970: 1_700_000_000_123), node: "n1", name: "it", fact: fact)
  }

  private func again(_ event: GridEvent) throws -> GridEvent {
    try GridEvent(json: JSONValue(parsing: event.json.serialized()))
  }

  @Test(arguments: table.indices)
  func `an event has its words, and comes back`(_ index: Int) throws {
    let (fact, kind, word, text) = Self.table[index]
    let json = event(fact).json
    #expect(json["kind"] == .string(kind.rawValue) && json["event"] == .string(word))
    #expect(json["detail"] == .string(text) && event(fact).text == text)
    #expect(json["at"] == "2023-11-14T22:13:20.123Z" && json["seq"] == 9 && json["name"] == "it")
    let back = try again(event(fact))
    #expect(back == event(fact))
    // Errors are equal when their codes are; their texts are told too.
    #expect(back.text == text)
  }

  @Test(arguments: reasons.indices)
  func `a reason has its words, and comes back`(_ index: Int) throws {
    let (reason, word, text) = Self.reasons[index]
    let ended = event(.actorEnded(reason, epoch: 12))
    #expect(ended.json["reason"] == .string(word) && ended.json["detail"] == .string(text))
    #expect(ended.json["epoch"] == 12)
    #expect(try again(ended) == ended)
    #expect(try again(ended).text == text)
  }

  @Test(arguments: [
    #"{"seq":1,"kind":"actor","event":"moved","detail":"moved to n2"}"#,
    #"{"seq":1,"kind":"actor","event":"ended","reason":"tired","detail":"moved to n2"}"#,
    #"{"seq":1,"kind":"actor","event":"restarted","by":"chance","detail":"moved to n2"}"#,
    #"{"seq":1,"kind":"actor","detail":"moved to n2"}"#,
    #"{"seq":1,"kind":"actor","event":7,"detail":"moved to n2"}"#,
  ])
  func `what a newer node says is told in its words`(_ text: String) throws {
    let event = try GridEvent(json: JSONValue(parsing: text))
    #expect(event.fact == .other(.actor, text: "moved to n2"))
  }

  @Test(arguments: [
    #"{"seq":1,"kind":"actor","event":"singleton-failed","count":1e300,"pauseSeconds":-1e300,"error":[]}"#,
    #"{"seq":1,"kind":"actor","event":"ended","reason":"supervision-gave-up","count":-9223372036854775808}"#,
    #"{"seq":-9223372036854775808,"kind":"node","event":"joined","incarnation":"x","atMilliseconds":9e99}"#,
  ])
  func `odd members harm nobody`(_ text: String) throws {
    let event = try GridEvent(json: JSONValue(parsing: text))
    #expect(!event.text.isEmpty && event.json["event"] != nil)
  }
}

@Suite struct CountTextTests {
  @Test(
    arguments: [
      (0, "0 times", "0 messages"), (1, "once", "1 message"), (2, "2 times", "2 messages"),
      (1234, "1,234 times", "1,234 messages"), (-1, "-1 times", "-1 messages"),
      (.max, "9,223,372,036,854,775,807 times", "9,223,372,036,854,775,807 messages"),
      (.min, "-9,223,372,036,854,775,808 times", "-9,223,372,036,854,775,808 messages"),
    ] as [(Int, String, String)])
  func `counts in words`(_ count: Int, _ times: String, _ messages: String) {
    #expect(CountText.times(count) == times)
    #expect(CountText.timesInARow(count) == (count == 1 ? "once" : times + " in a row"))
    #expect(CountText.of(count, "message") == messages)
    #expect(CountText.of(count, "reply", "replies") == CountText.grouped(count) + (count == 1 ? " reply" : " replies"))
  }
}
