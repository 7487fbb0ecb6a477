internal import GridCore
internal import GridRequests

/// How the cluster is, with what to look at where it is not well. Pure.
struct HealthReport: Sendable {
  enum Status: Int, Sendable, Comparable {
    case ok, warning, critical
    /// It could not be found out.
    case unknown

    /// What is critical outweighs what is not known.
    private var weight: Int {
      switch self {
      case .ok: 0
      case .warning: 1
      case .unknown: 2
      case .critical: 3
      }
    }

    static func < (left: Status, right: Status) -> Bool { left.weight < right.weight }

    var nagiosCode: Int32 { Int32(rawValue) }
    var label: String {
      switch self {
      case .ok: "ok"
      case .warning: "warning"
      case .critical: "critical"
      case .unknown: "unknown"
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

  /// One number that was measured, of the cluster.
  struct Measure: Sendable, Equatable {
    /// As in `dead_letters`: short, for programs.
    var name: String
    var help: String
    var value: Int
    var bound: HealthBound<Int>
  }

  private(set) var findings: [Finding] = []
  private(set) var measures: [Measure] = []
  private(set) var peers: [PeerReport] = []
  /// What each node said of itself.
  private(set) var nodes: [NodeHealth] = []

  var status: Status { findings.map(\.status).max() ?? .ok }

  /// Nobody answered, or the question could not be asked.
  init(unreachable error: GridError) {
    let isAnswer = [.unavailable, .deadline, .nodeLost, .notServing].contains(error.code)
    findings = [
      Finding(
        name: "connection", status: isAnswer ? .critical : .unknown, message: error.message, advice: error.hint)
    ]
  }

  /// - Parameter health: what the nodes have answered.
  init(_ health: ClusterHealth, limits: HealthLimits) {
    peers = health.peers
    nodes = health.nodes
    lookAtPeers(limits)
    for missing in health.missing { lookAtSilence(missing) }
    for node in nodes { lookAtMembership(node) }
    lookAtLosses(limits)
    lookAtLetters(limits)
    lookAtActors(limits)
    lookAtTroubles(limits)
    lookAtStores()
    lookAtSpace()
    lookAtDefaults()
    for node in nodes { lookAtEncryption(node) }
    lookAtAudit(limits)
  }

  static func name(_ node: NodeHealth) -> String { "node \(node.node)" }

  /// The sum of what the nodes say, each at least 0: other machines have sent it.
  func sum(_ value: (NodeHealth) -> Int) -> Int { nodes.map { max(0, value($0)) }.clampedSum() }

  mutating func add(_ finding: Finding) { findings.append(finding) }

  mutating func add(_ measure: Measure) { measures.append(measure) }

  /// Takes up a sum over all nodes, and a finding of the given form.
  ///
  /// - Returns: the sum, and how bad it is.
  @discardableResult
  mutating func measure(
    _ name: String, _ help: String, _ bound: HealthBound<Int>, _ value: (NodeHealth) -> Int
  ) -> (sum: Int, status: Status) {
    let sum = sum(value)
    measures.append(Measure(name: name, help: help, value: sum, bound: bound))
    return (sum, bound.status(sum))
  }

  // MARK: Peers

  private mutating func lookAtPeers(_ limits: HealthLimits) {
    let alive = peers.count { $0.status == .alive }
    let wanted = limits.peers ?? 1
    add(
      Finding(
        name: "peers", status: alive >= wanted ? .ok : .critical,
        message: "\(alive) of \(max(wanted, peers.count)) peers are alive",
        advice: alive >= wanted ? nil : "start the missing nodes, or lower --peers"))
    let dead = peers.count { $0.status == .dead }
    measures.append(
      Measure(name: "dead", help: "Nodes that died in the last minutes.", value: dead, bound: limits.dead))
    for peer in peers { look(peer, limits, dead: limits.dead.status(dead)) }
  }

  private mutating func look(_ peer: PeerReport, _ limits: HealthLimits, dead: Status) {
    let name = "node \(peer.name)"
    switch peer.status {
    // What is wrong with the node that was asked is told by itself.
    case .suspect where !peer.isSelf:
      add(
        Finding(
          name: name, status: .critical, message: "it does not answer at \(peer.address)",
          advice: "is its process stopped or its machine overloaded? is its port open to the other nodes?"))
    case .dead:
      add(
        Finding(
          name: name, status: dead, message: "it died; its actors' names are free",
          advice: "look at its log, and start it again: gridctl node start --name \(peer.name)"))
    case .alive: lookAtLoad(peer, name, limits)
    case .suspect, .left: break
    }
  }

  private mutating func lookAtLoad(_ peer: PeerReport, _ name: String, _ limits: HealthLimits) {
    let node = peer.name
    if let seconds = peer.roundTripSeconds, let time = Duration(seconds: seconds) {
      if let bound = limits.roundTrip.passed(by: time) {
        add(
          Finding(
            name: name, status: limits.roundTrip.status(time),
            message: "its round trip is \(HumanText.duration(seconds)), more than \(HumanText.duration(bound))",
            advice: "see: gridctl node ping \(node) -c 10"))
      }
    }
    let waiting = max(0, peer.mailbox ?? 0)
    if let bound = limits.mailbox.passed(by: waiting) {
      add(
        Finding(
          name: name, status: limits.mailbox.status(waiting),
          message: "\(waiting) messages wait there, more than \(bound)",
          advice: "see: gridctl actors --on \(node) --min-mailbox \(max(1, bound / 10))"))
    }
    lookAtAge(peer, name, limits.age)
  }

  private mutating func lookAtAge(_ peer: PeerReport, _ name: String, _ limit: HealthBound<Duration>) {
    guard let seconds = peer.oldestSeconds, let age = Duration(seconds: seconds),
      let bound = limit.passed(by: age)
    else { return }
    let actor = peer.oldestActor ?? "-"
    add(
      Finding(
        name: name, status: limit.status(age),
        message: "a message for \(actor) has been there for \(HumanText.duration(seconds)), more than "
          + HumanText.duration(bound),
        advice: "see: gridctl inspect \(actor)"))
  }

  /// A node whose connection is there and that does not answer this question.
  private mutating func lookAtSilence(_ missing: MissingNode) {
    let name = missing.node
    let isKnown = peers.contains { $0.name == name && $0.status == .suspect }
    guard !isKnown else { return }
    add(
      Finding(
        name: "node \(name)", status: .unknown,
        message: "it does not say how it is: \(missing.message)",
        advice: "does it run the same version? see: gridctl peers -o wide"))
  }

  private mutating func lookAtLosses(_ limits: HealthLimits) {
    let lost = measure("lost_memberships", "Memberships that were lost in the window.", limits.lost) {
      $0.lostMemberships
    }
    guard lost.status != .ok else { return }
    let places = nodes.filter { $0.lostMemberships > 0 }.map(\.node)
    let span = HumanText.duration(limits.window)
    add(
      Finding(
        name: "membership", status: lost.status,
        message:
          "lost \(CountText.times(Int64(lost.sum))) in the last \(span) on \(places.sorted().joined(separator: ", "))",
        advice: "what ran there was stopped; the logs say why: a paused machine, or a store that was away"))
  }

  private mutating func lookAtMembership(_ node: NodeHealth) {
    guard !node.isMember else { return }
    add(
      Finding(
        name: Self.name(node), status: .critical,
        message: "it is no member of the cluster, and hosts no actors: \(node.problem ?? "-")",
        advice: node.advice ?? "look at its log; it joins again by itself when the reason is gone"))
  }
}
