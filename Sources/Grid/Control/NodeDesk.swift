internal import Glibc
internal import GridActors
internal import GridCluster
internal import GridCore
internal import GridLink
internal import GridRequests
internal import GridSystem
internal import Logging

/// Answers what is asked about the node itself, and who else is there.
struct NodeDesk: Sendable {
  let node: NodeSelf
  let configuration: NodeConfiguration
  let certificate: NodeCertificate?
  let membership: Membership
  let peers: PeerTable
  let cells: CellTable
  let letters: DeadLetterOffice
  let health: Health
  let refused: RefusedLogIns
  let calls: ClusterCalls
  let book: RequestBook
  let clock: any GridClock
  let logger: Logger

  // MARK: The node

  func information() -> NodeInformation {
    let record = membership.record
    var information = NodeInformation()
    information.name = node.name
    information.namespace = node.namespace
    information.version = GridVersion.current
    information.address = node.address
    information.incarnation = record?.incarnation ?? 0
    information.process = Int64(getpid())
    information.isMember = record != nil
    information.problem = health.membershipProblem?.description
    information.labels = node.labels
    information.kinds = node.kinds
    information.load = load()
    information.peers = membership.peers.count
    information.stateDirectory = configuration.stateDirectory
    information.socket = GridDirectories.socket(of: node.name, in: configuration.runtimeDirectory)
    information.refusedConnections = refused.total
    information.residentBytes = ResidentMemory.bytes()
    information.refusedRequests = book.refused
    information.weakened = configuration.weakened
    information.identity = certificate?.name
    information.certificateExpires = certificate?.expiry?.rfc3339
    return information
  }

  func stop(_ request: NodeStopRequest) -> NodeReference {
    logger.notice("stop requested by a client", metadata: ["force": "\(request.isForced)"])
    if request.isForced { node.leave.hurry.open() }
    node.leave.requested.open()
    return NodeReference(node: node.name)
  }

  func load() -> NodeLoad {
    let now = clock.now()
    var load = NodeLoad()
    for cell in cells.cells() {
      let (depth, age) = cell.load(at: now)
      load.actors += 1
      load.mailbox += depth
      if let age, age > load.oldestSeconds ?? -1 { (load.oldestSeconds, load.oldestActor) = (age, cell.name) }
    }
    load.deadLetters = letters.total
    load.uptimeSeconds = (now - node.startedAt).inSeconds
    return load
  }

  // MARK: The cluster

  func peerList(_ request: PeersRequest, _ call: RequestCall) async -> ListAnswer<PeerReport> {
    let (reports, missing) = await peerReports(call)
    return ListAnswer(call.page.page(reports), missing: missing)
  }

  /// The nodes of the cluster by name, with what those that answered say of their load.
  func peerReports(_ call: RequestCall) async -> ([PeerReport], [MissingNode]) {
    let gathered = await calls.gather(LoadRequest(), call)
    return (peerReports(gathered.answers), gathered.missing)
  }

  func peerReports(_ answers: [(peer: NodeRecord, answer: NodeLoad, seconds: Double)]) -> [PeerReport] {
    // Outside of the cluster it answers, and yet nobody can count on it.
    let record = membership.record
    var own = PeerReport(record: node.record(node.name), status: record == nil ? .suspect : .alive, isSelf: true)
    own.incarnation = record?.incarnation ?? 0
    own.apply(load())
    var reports = [own.name: own]
    for (peer, answer, seconds) in answers {
      var report = PeerReport(record: peer, status: .alive, isSelf: false)
      report.apply(answer)
      report.roundTripSeconds = seconds
      reports[peer.name] = report
    }
    for peer in membership.peers where reports[peer.name] == nil {
      reports[peer.name] = PeerReport(record: peer, status: .suspect, isSelf: false)
    }
    for departure in peers.departures where reports[departure.record.name] == nil {
      reports[departure.record.name] = PeerReport(record: departure.record, status: departure.status, isSelf: false)
    }
    return reports.values.sorted { $0.name < $1.name }
  }

  func kindList(_ request: KindsRequest, _ call: RequestCall) -> ListAnswer<KindReport> {
    var nodes: [String: [String]] = [:]
    for kind in node.kinds { nodes[kind, default: []].append(node.name) }
    for peer in membership.peers { for kind in peer.kinds { nodes[kind, default: []].append(peer.name) } }
    return ListAnswer(call.page.page(nodes.map { KindReport(name: $0, nodes: $1.sorted()) }))
  }

  func nameCount(_ request: NameCountRequest) async throws -> Count {
    Count(try await membership.locator.count(withPrefix: request.prefix))
  }
}

extension PeerReport {
  fileprivate mutating func apply(_ load: NodeLoad) {
    actors = load.actors
    mailbox = load.mailbox
    oldestSeconds = load.oldestSeconds
    oldestActor = load.oldestActor
    deadLetters = load.deadLetters
    uptimeSeconds = load.uptimeSeconds
  }
}
