/// The contract form: `seq at atMilliseconds kind name node detail event`, where `detail` is for people and `event` is
/// what happened in one word, and the facts of that event in members of their own.
extension GridEvent {
  package var json: JSONValue {
    var members: [String: JSONValue] = [
      "seq": .integer(sequence), "at": .string(at.rfc3339), "kind": .string(kind.rawValue), "name": .string(name),
      "node": .string(node), "detail": .string(text),
      "atMilliseconds": .integer(at.millisecondsSince1970), "event": .string(fact.label),
    ]
    fact.encode(into: &members)
    return .object(members)
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard let sequence = json["seq"]?.integerValue, let kind = Kind(rawValue: json["kind"]?.stringValue ?? "") else {
      throw GridError(.undecodable, "an event lacks seq or kind")
    }
    self.init(
      sequence: sequence,
      at: CalendarTime(millisecondsSince1970: json["atMilliseconds"]?.integerValue ?? 0),
      node: json["node"]?.stringValue ?? "", name: json["name"]?.stringValue ?? "",
      fact: Fact(kind, json) ?? .other(kind, text: json["detail"]?.stringValue ?? ""))
  }
}

extension GridEvent.Fact {
  /// What happened in one word, together with the kind.
  fileprivate var label: String {
    switch self {
    case .nodeJoined, .peerJoined: "joined"
    case .nodeLeaves: "leaves"
    case .nodeLostMembership: "lost-membership"
    case .certificateExpires: "certificate-expires"
    case .peerLeft: "left"
    case .peerDied: "died"
    case .logInRefused: "login-refused"
    case .actorSpawned: "spawned"
    case .actorEnded: "ended"
    case .actorFailed: "failed"
    case .actorRestarted: "restarted"
    case .singletonFailed: "singleton-failed"
    case .leaderElected: "elected"
    case .leaderLost: "lost"
    case .linkOpened: "opened"
    case .linkClosed: "closed"
    case .other: "other"
    }
  }

  fileprivate func encode(into members: inout [String: JSONValue]) {
    switch self {
    case .nodeLeaves, .peerLeft, .peerDied, .leaderLost, .linkOpened, .other: break
    case .nodeJoined(let namespace, let incarnation):
      members["namespace"] = .string(namespace)
      members["incarnation"] = .integer(incarnation)
    case .nodeLostMembership(let error), .linkClosed(let error): members["error"] = error.factJSON
    case .certificateExpires(let time):
      members["expires"] = .string(time.rfc3339)
      members["expiresMilliseconds"] = .integer(time.millisecondsSince1970)
    case .logInRefused(let place, let name, let count, let error):
      members["from"] = .string(place)
      members["as"] = .string(name)
      members["count"] = .integer(Int64(count))
      members["error"] = error.factJSON
    case .peerJoined(let address): members["address"] = .string(address)
    case .actorSpawned(let kind, let epoch):
      members["actorKind"] = .string(kind)
      members["epoch"] = .integer(epoch)
    case .actorEnded(let reason, let epoch):
      members["epoch"] = .integer(epoch)
      reason.encode(into: &members)
    case .actorFailed(let error, let pause):
      members["error"] = error.factJSON
      members["pauseSeconds"] = .number(pause.inSeconds)
    case .actorRestarted(let cause): members["by"] = .string(cause.rawValue)
    case .singletonFailed(let error, let count, let pause):
      members["error"] = error.factJSON
      members["count"] = .integer(Int64(count))
      members["pauseSeconds"] = .number(pause.inSeconds)
    case .leaderElected(let node, let token):
      members["leader"] = .string(node)
      members["token"] = .integer(token)
    }
  }

  /// Nil for what this version does not know.
  fileprivate init?(_ kind: GridEvent.Kind, _ json: JSONValue) {
    func text(_ field: String) -> String { json[field]?.stringValue ?? "" }
    func number(_ field: String) -> Int64 { json[field]?.integerValue ?? 0 }
    var error: GridError { GridError(factJSON: json["error"]) }
    var pause: Duration { json["pauseSeconds"]?.doubleValue.flatMap { Duration(seconds: $0) } ?? .zero }
    switch (kind, text("event")) {
    case (.node, "joined"): self = .nodeJoined(namespace: text("namespace"), incarnation: number("incarnation"))
    case (.node, "leaves"): self = .nodeLeaves
    case (.node, "lost-membership"): self = .nodeLostMembership(error)
    case (.node, "certificate-expires"):
      self = .certificateExpires(at: CalendarTime(millisecondsSince1970: number("expiresMilliseconds")))
    case (.node, "login-refused"):
      self = .logInRefused(
        from: text("from"), as: text("as"), count: Int(clamping: number("count")), error)
    case (.peer, "joined"): self = .peerJoined(address: text("address"))
    case (.peer, "left"): self = .peerLeft
    case (.peer, "died"): self = .peerDied
    case (.actor, "spawned"): self = .actorSpawned(kind: text("actorKind"), epoch: number("epoch"))
    case (.actor, "ended"):
      guard let reason = TerminationReason(json) else { return nil }
      self = .actorEnded(reason, epoch: number("epoch"))
    case (.actor, "failed"): self = .actorFailed(error, restartsIn: pause)
    case (.actor, "restarted"):
      guard let cause = GridEvent.RestartCause(rawValue: text("by")) else { return nil }
      self = .actorRestarted(by: cause)
    case (.actor, "singleton-failed"):
      self = .singletonFailed(error, count: Int(clamping: number("count")), startsIn: pause)
    case (.leader, "elected"): self = .leaderElected(node: text("leader"), token: number("token"))
    case (.leader, "lost"): self = .leaderLost
    case (.link, "opened"): self = .linkOpened
    case (.link, "closed"): self = .linkClosed(error)
    default: return nil
    }
  }
}

extension TerminationReason {
  /// The reason in a word or a few.
  package var label: String {
    switch self {
    case .request: "request"
    case .killed: "killed"
    case .handlerDidNotReturn: "handler-did-not-return"
    case .itself: "itself"
    case .nodeLeaves: "node-leaves"
    case .leaseLost: "lease-lost"
    case .failed: "failed"
    case .supervisionGaveUp: "supervision-gave-up"
    case .cannotBeMadeAgain: "cannot-be-made-again"
    case .couldNotStart: "could-not-start"
    case .startBrokenOff: "start-broken-off"
    case .stoppedBeforeStart: "stopped-before-start"
    case .benchmarkIsOver: "benchmark-is-over"
    }
  }

  fileprivate func encode(into members: inout [String: JSONValue]) {
    members["reason"] = .string(label)
    if let error { members["error"] = error.factJSON }
    guard case .supervisionGaveUp(_, let restarts, let window) = self else { return }
    members["count"] = .integer(Int64(restarts))
    members["withinSeconds"] = .number(window.inSeconds)
  }

  /// Nil for what this version does not know.
  fileprivate init?(_ json: JSONValue) {
    var error: GridError { GridError(factJSON: json["error"]) }
    switch json["reason"]?.stringValue {
    case "request": self = .request
    case "killed": self = .killed
    case "handler-did-not-return": self = .handlerDidNotReturn
    case "itself": self = .itself
    case "node-leaves": self = .nodeLeaves
    case "lease-lost": self = .leaseLost
    case "failed": self = .failed(error)
    case "supervision-gave-up":
      self = .supervisionGaveUp(
        error, restarts: Int(clamping: json["count"]?.integerValue ?? 0),
        within: json["withinSeconds"]?.doubleValue.flatMap { Duration(seconds: $0) } ?? .zero)
    case "cannot-be-made-again": self = .cannotBeMadeAgain(error)
    case "could-not-start": self = .couldNotStart(error)
    case "start-broken-off": self = .startBrokenOff
    case "stopped-before-start": self = .stoppedBeforeStart
    case "benchmark-is-over": self = .benchmarkIsOver
    default: return nil
    }
  }
}

extension GridError {
  /// As a failure on the wire: `code message`, and `hint cause` where there are some.
  fileprivate var factJSON: JSONValue {
    var members: [String: JSONValue] = ["code": .string(code.label), "message": .string(message)]
    if let hint { members["hint"] = .string(hint) }
    if let cause { members["cause"] = .string(cause) }
    return .object(members)
  }

  fileprivate init(factJSON json: JSONValue?) {
    self.init(
      Code.named(json?["code"]?.stringValue ?? ""), json?["message"]?.stringValue ?? "",
      hint: json?["hint"]?.stringValue, cause: json?["cause"]?.stringValue)
  }
}
