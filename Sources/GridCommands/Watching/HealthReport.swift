internal import GridCore

/// What `gridctl check` holds the cluster to.
struct HealthLimits: Sendable {
  var peers: Int?
  var roundTrip: Duration?
  var mailbox: Int?
}

/// How the cluster is, with what to look at where it is not well. Pure.
struct HealthReport: Sendable {
  enum Form: String, CaseIterable, Sendable {
    case text, nagios, prometheus, json
  }

  enum Status: Int, Sendable, Comparable {
    case ok, warning, critical

    static func < (left: Status, right: Status) -> Bool { left.rawValue < right.rawValue }

    var nagiosCode: Int32 { Int32(rawValue) }
    var label: String {
      switch self {
      case .ok: "ok"
      case .warning: "warning"
      case .critical: "critical"
      }
    }
  }

  /// One thing that was looked at.
  struct Finding: Sendable, Equatable {
    var name: String
    var status: Status
    var message: String
    var advice: String?
  }

  private(set) var findings: [Finding] = []
  private(set) var peers: [JSONValue] = []

  var status: Status { findings.map(\.status).max() ?? .ok }

  /// Nobody answered.
  init(unreachable error: GridError) {
    findings = [Finding(name: "connection", status: .critical, message: error.message, advice: error.hint)]
  }

  /// - Parameter store: what the coordination store says of itself; nil when it was not asked.
  init(peers: [JSONValue], store: Result<JSONValue, GridError>? = nil, limits: HealthLimits) {
    self.peers = peers
    let alive = peers.count { $0["status"]?.stringValue == "alive" }
    let wanted = limits.peers ?? 1
    findings.append(
      Finding(
        name: "peers", status: alive >= wanted ? .ok : .critical,
        message: "\(alive) of \(max(wanted, peers.count)) peers are alive",
        advice: alive >= wanted ? nil : "start the missing nodes, or lower --peers"))
    for peer in peers { look(peer, limits) }
    if let store { findings.append(Self.finding(store)) }
  }

  /// The first release of etcd whose watches and leases keep what they promise; Debian has an older one.
  private static let soundEtcd = [3, 4, 42]

  private static func finding(_ store: Result<JSONValue, GridError>) -> Finding {
    switch store {
    case .failure(let error):
      return Finding(name: "store", status: .critical, message: error.message, advice: error.hint)
    case .success(let description):
      let version = Column.text(description["version"])
      let text = "\(Column.text(description["engine"])), \(version), at \(Column.text(description["place"]))"
      let numbers = (version.split(separator: " ").last ?? "").split(separator: ".").compactMap { Int($0) }
      guard description["engine"] == "etcd", numbers.count == 3, numbers.lexicographicallyPrecedes(soundEtcd) else {
        return Finding(name: "store", status: .ok, message: text)
      }
      return Finding(
        name: "store", status: .warning, message: text,
        advice: "before 3.4.42 etcd can lose live leases and watch events; gridctl bears that, an upgrade avoids it")
    }
  }

  private mutating func look(_ peer: JSONValue, _ limits: HealthLimits) {
    let name = Column.text(peer["name"])
    switch peer["status"]?.stringValue {
    case "suspect":
      findings.append(
        Finding(
          name: "node \(name)", status: .critical, message: "it does not answer at \(Column.text(peer["address"]))",
          advice: "is its process stopped or its machine overloaded? is its port open to the other nodes?"))
    case "dead":
      findings.append(
        Finding(
          name: "node \(name)", status: .warning, message: "it died; its actors' names are free",
          advice: "look at its log, and start it again: gridctl node start --name \(name)"))
    case "alive": lookAtLoad(peer, name, limits)
    default: break
    }
  }

  private mutating func lookAtLoad(_ peer: JSONValue, _ name: String, _ limits: HealthLimits) {
    if let limit = limits.roundTrip, let seconds = peer["rttSeconds"]?.doubleValue, seconds > limit.inSeconds {
      findings.append(
        Finding(
          name: "node \(name)", status: .critical,
          message: "its round trip is \(HumanText.duration(seconds)), more than \(HumanText.duration(limit))",
          advice: "see: gridctl node ping \(name) -c 10"))
    }
    if let limit = limits.mailbox, let waiting = peer["mailbox"]?.integerValue, waiting > limit {
      findings.append(
        Finding(
          name: "node \(name)", status: .critical, message: "\(waiting) messages wait there, more than \(limit)",
          advice: "see: gridctl actors --on \(name) --min-mailbox \(max(1, limit / 10))"))
    }
  }

  // MARK: Forms

  /// The report, with a line feed at its end.
  func text(_ form: Form) -> String {
    switch form {
    case .text: plainText
    case .nagios: nagiosText
    case .prometheus: prometheusText
    case .json: json.indented() + "\n"
    }
  }

  private var plainText: String {
    findings.reduce(into: "") { text, finding in
      text += TerminalText.printable("\(finding.status.label): \(finding.name): \(finding.message)") + "\n"
      if let advice = finding.advice { text += "  " + TerminalText.printable(advice) + "\n" }
    }
  }

  /// One line: state, what is wrong, then measurements behind the bar.
  private var nagiosText: String {
    let wrong = findings.filter { $0.status != .ok }
    let told = (wrong.isEmpty ? findings : wrong).map { "\($0.name): \($0.message)" }.joined(separator: "; ")
    let measured = peers.compactMap { peer -> String? in
      guard let name = peer["name"]?.stringValue, let waiting = peer["mailbox"]?.integerValue else { return nil }
      return "'\(name)_mailbox'=\(waiting)"
    }
    let alive = peers.count { $0["status"]?.stringValue == "alive" }
    let line = "GRIDCTL \(status.label.uppercased()) - \(told.filter { $0 != "|" })"
    return TerminalText.printable(line) + " | peers=\(alive) \(measured.joined(separator: " "))\n"
  }

  private var prometheusText: String {
    var text = "# HELP gridctl_healthy Whether every check passed.\n# TYPE gridctl_healthy gauge\n"
    text += "gridctl_healthy \(status == .critical ? 0 : 1)\n"
    let gauges: [(String, String, (JSONValue) -> String?)] = [
      ("gridctl_peer_up", "Whether the peer is alive.", { $0["status"]?.stringValue == "alive" ? "1" : "0" }),
      ("gridctl_peer_round_trip_seconds", "The round trip to the peer.", { number($0["rttSeconds"]) }),
      ("gridctl_peer_actors", "Actors on the peer.", { number($0["actors"]) }),
      ("gridctl_peer_mailbox_messages", "Messages that wait on the peer.", { number($0["mailbox"]) }),
    ]
    func number(_ value: JSONValue?) -> String? { value.flatMap { $0.doubleValue == nil ? nil : $0.text } }
    for (name, help, value) in gauges where !peers.isEmpty {
      text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
      for peer in peers {
        guard let value = value(peer), let node = peer["name"]?.stringValue else { continue }
        text += "\(name){node=\(JSONValue.string(node).text)} \(value)\n"
      }
    }
    return text
  }

  private var json: JSONValue {
    [
      "apiVersion": .string(Renderer.apiVersion), "kind": "HealthReport", "status": .string(status.label),
      "findings": .array(
        findings.map {
          [
            "name": .string($0.name), "status": .string($0.status.label), "message": .string($0.message),
            "advice": .optional($0.advice),
          ]
        }),
      "peers": .array(peers),
    ]
  }
}
