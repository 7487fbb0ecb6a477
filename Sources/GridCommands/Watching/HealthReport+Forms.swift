internal import GridCore
internal import GridRequests

/// The forms in which people and monitoring read the report.
extension HealthReport {
  enum Form: String, CaseIterable, Sendable {
    case text, nagios, prometheus, json
  }

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

  private var aliveCount: Int { peers.count { $0.status == .alive } }

  /// One line: state, what is wrong, then measurements behind the bar, as `label=value;warning;critical`.
  private var nagiosText: String {
    let wrong = findings.filter { $0.status != .ok }
    let told = (wrong.isEmpty ? findings : wrong).map { "\($0.name): \($0.message)" }.joined(separator: "; ")
    let waiting = peers.compactMap { peer -> String? in
      peer.mailbox.map { "'\(peer.name)_mailbox'=\($0)" }
    }
    let sums = measures.map { measure in
      let bounds = [measure.bound.warning, measure.bound.critical].map { $0.map(String.init) ?? "" }
      return "\(measure.name)=\(measure.value);\(bounds[0]);\(bounds[1])"
    }
    let line = "GRIDCTL \(status.label.uppercased()) - \(told.filter { $0 != "|" })"
    let measured = ["peers=\(aliveCount)"] + waiting + sums
    return TerminalText.printable(line) + " | " + measured.joined(separator: " ") + "\n"
  }

  private var prometheusText: String {
    var text = Self.gauge("gridctl_healthy", "Whether every check passed.")
    text += "gridctl_healthy \(status == .critical || status == .unknown ? 0 : 1)\n"
    text += Self.gauge("gridctl_status", "0 ok, 1 warning, 2 critical, 3 unknown.")
    text += "gridctl_status \(status.rawValue)\n"
    for measure in measures {
      text += Self.gauge("gridctl_\(measure.name)", measure.help) + "gridctl_\(measure.name) \(measure.value)\n"
    }
    let ofPeers: [(String, String, (PeerReport) -> String?)] = [
      ("gridctl_peer_up", "Whether the peer is alive.", { $0.status == .alive ? "1" : "0" }),
      ("gridctl_peer_round_trip_seconds", "The round trip to the peer.", { Self.number($0.roundTripSeconds) }),
      ("gridctl_peer_actors", "Actors on the peer.", { Self.number($0.actors) }),
      ("gridctl_peer_mailbox_messages", "Messages that wait on the peer.", { Self.number($0.mailbox) }),
      (
        "gridctl_peer_oldest_message_seconds", "How long the oldest message on the peer has been there.",
        { Self.number($0.oldestSeconds) }
      ),
    ]
    let ofNodes: [(String, String, (NodeHealth) -> String?)] = [
      ("gridctl_node_member", "Whether the node is a member.", { $0.isMember ? "1" : "0" }),
      (
        "gridctl_node_store_up", "Whether its coordination store answers.",
        { $0.store.failure == nil ? "1" : "0" }
      ),
      ("gridctl_node_dead_letters", "Dead letters of the window.", { Self.number($0.deadLetters.recent) }),
      ("gridctl_node_actors_failing", "Actors that failed in the window.", { Self.number($0.failing) }),
      ("gridctl_node_actors_ended", "Actors that ended by failing in the window.", { Self.number($0.ended) }),
    ]
    for (name, help, value) in ofPeers { text += Self.gauges(name, help, peers, \.name, value) }
    for (name, help, value) in ofNodes { text += Self.gauges(name, help, nodes, \.node, value) }
    return text
  }

  private static func gauge(_ name: String, _ help: String) -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
  }

  private static func gauges<Item>(
    _ name: String, _ help: String, _ items: [Item], _ node: (Item) -> String, _ value: (Item) -> String?
  ) -> String {
    let lines = items.compactMap { item -> String? in
      value(item).map { "\(name){node=\(JSONValue.string(node(item)).text)} \($0)\n" }
    }
    return lines.isEmpty ? "" : gauge(name, help) + lines.joined()
  }

  private static func number(_ value: Double?) -> String? { value.map { JSONValue.number($0).text } }
  private static func number(_ value: Int?) -> String? { value.map(String.init) }

  private var json: JSONValue {
    let measured = measures.map { measure -> (String, JSONValue) in
      let value: JSONValue = [
        "value": .integer(Int64(measure.value)), "warning": .optional(measure.bound.warning),
        "critical": .optional(measure.bound.critical),
      ]
      return (measure.name, value)
    }
    return [
      "apiVersion": .string(Renderer.apiVersion), "kind": "HealthReport", "status": .string(status.label),
      "findings": .array(
        findings.map {
          [
            "name": .string($0.name), "status": .string($0.status.label), "message": .string($0.message),
            "advice": .optional($0.advice),
          ]
        }),
      "measures": .object(Dictionary(measured) { first, _ in first }), "peers": .array(peers.map(\.json)),
      "nodes": .array(nodes.map(\.json)),
    ]
  }
}
