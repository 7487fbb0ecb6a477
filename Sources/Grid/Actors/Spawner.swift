internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Makes actors: here under a claimed name, or where their kind is offered.
final class Spawner: Sendable {
  private let node: NodeSelf
  private let kinds: [String: KindDefinition]
  private let cells: CellTable
  private let host: NodeHost
  private let membership: Membership
  private let releases: ClaimReleases
  private let peers: PeerTable
  private let probe: PeerProbe
  private let router: Router
  private let calls: ClusterCalls
  private let events: EventLog
  private let timers: any Timers

  init(
    node: NodeSelf, kinds: [String: KindDefinition], cells: CellTable, host: NodeHost, membership: Membership,
    releases: ClaimReleases, peers: PeerTable, probe: PeerProbe, router: Router, calls: ClusterCalls,
    events: EventLog, timers: any Timers
  ) {
    self.node = node
    self.kinds = kinds
    self.cells = cells
    self.host = host
    self.membership = membership
    self.releases = releases
    self.peers = peers
    self.probe = probe
    self.router = router
    self.calls = calls
    self.events = events
    self.timers = timers
  }

  func kind(_ name: String) throws(GridError) -> KindDefinition {
    guard let kind = kinds[name] else { throw GridError(.noSuchKind, "no kind \(name) on \(node.name)") }
    return kind
  }

  /// Makes an actor here or on another node, as the request asks.
  func spawn(_ request: SpawnRequest, _ call: RequestCall) async throws -> ActorReport {
    if let name = request.name { try NameRules.validated(name, as: "actor") }
    if let named = request.node, named != node.name { return try await spawn(request, on: named, call) }
    guard let kind = kinds[request.kind] else { return try await spawnWhereOffered(request, call) }
    return try await spawnOnceFree(request, kind, deadline: call.deadline)
  }

  // MARK: Elsewhere

  private func spawn(_ request: SpawnRequest, on name: String, _ call: RequestCall) async throws -> ActorReport {
    var placed = request
    placed.node = nil
    return try await calls.ask(placed, on: name, call)
  }

  private func spawnWhereOffered(_ request: SpawnRequest, _ call: RequestCall) async throws -> ActorReport {
    let isPlaced = request.node != nil || call.isLocal
    var refusal: GridError?
    for peer in isPlaced ? [] : membership.peers.filter({ $0.kinds.contains(request.kind) }) {
      do {
        return try await spawn(request, on: peer.name, call)
      } catch let error as GridError where error.code == .notServing {
        // It has done nothing: the next one may.
        refusal = error
      }
    }
    if let refusal { throw refusal }
    let known = Set(kinds.keys).union(membership.peers.flatMap(\.kinds)).sorted()
    throw GridError(
      .noSuchKind,
      isPlaced
        ? "node \(node.name) does not offer kind \(request.kind)" : "no node offers kind \(request.kind)",
      hint: "kinds: \(known.joined(separator: ", "))")
  }

  // MARK: Here

  /// Makes the actor here; where its name is held by a node that is gone, once that node's lease has ended.
  private func spawnOnceFree(
    _ request: SpawnRequest, _ kind: KindDefinition, deadline: MonotonicTime
  ) async throws -> ActorReport {
    while true {
      let ring = request.name.map(membership.locator.listen)
      do {
        return try await spawnHere(request, kind)
      } catch let error as GridError where error.code == .nameTaken {
        guard let ring, let name = request.name, !Task.isCancelled, timers.now() + .milliseconds(100) < deadline
        else { throw error }
        guard let holder = try await membership.locator.lookUp(name)?.node else { continue }
        guard holder != node.name, await probe.presence(of: holder) == .gone else { throw error }
        await ring.wait(atMost: .milliseconds(500), on: timers)
      }
    }
  }

  func spawnHere(_ request: SpawnRequest, _ kind: KindDefinition) async throws -> ActorReport {
    var request = request
    let name = request.name ?? Self.generatedName(request.kind)
    request.name = name
    let behavior = try kind.make(request)
    let own = node.presence
    let record = ActorRecord(name: name, kind: kind.name, node: own.name, incarnation: own.incarnation)
    let epoch: Int64
    let lease: Int64
    do throws(GridError) {
      (epoch, lease) = try await claim(record)
    } catch {
      guard error.code == .nameTaken, request.ifAbsent,
        let holder = try await membership.locator.lookUp(name), await mayRun(holder)
      else { throw error }
      return ActorReport(
        name: name, kind: holder.kind, node: holder.node, status: .running, epoch: holder.epoch)
    }
    let cell = ActorCell(name: name, epoch: epoch, kind: kind, request: request, behavior: behavior, host: host)
    let start = cell.prepareStart()
    guard router.settle(cell) else {
      // Its lease was lost, so the name was free for all; but what ran under it here is not gone yet.
      releases.add(.actor(name, epoch: epoch))
      throw GridError(
        .nameTaken, "the former \(name) still runs on \(own.name): \(cells[name]?.holdings ?? "it is ending")",
        hint: "it is being ended; try again soon")
    }
    try await run(start, of: cell, under: lease)
    events.record(.actorSpawned(kind: kind.name, epoch: epoch), name, node: own.name)
    return cell.report(at: timers.now(), withDetails: false)
  }

  private func run(
    _ start: ActorCell.PreparedStart, of cell: ActorCell, under lease: Int64
  ) async throws(GridError) {
    // Where the lease ended meanwhile, or the node began to leave, the actors under it were stopped before this one was
    // among them.
    guard holds(lease) else {
      cell.abandon(.startBrokenOff)
      throw node.notServing("\(cell.name) was not made")
    }
    do throws(GridError) {
      try await cell.start(start)
    } catch {
      throw whyNotStarted(cell, lease, error)
    }
  }

  /// Claims a name under the present lease.
  private func claim(_ record: ActorRecord) async throws(GridError) -> (epoch: Int64, lease: Int64) {
    if node.leave.isRequested { throw node.notServing("\(record.name) was not made") }
    let lease = try membership.currentLease().identifier
    do throws(GridError) {
      let epoch = try await releases.claiming(record.name) { () throws(GridError) in
        try await membership.locator.claim(record, lease: lease)
      }
      return (epoch, lease)
    } catch {
      // Whatever was claimed ends with the lease: nothing runs, and nothing will.
      guard error.code == .cancelled || error.code == .leaseLost else { throw error }
      throw node.notServing("\(record.name) was not made", cause: error)
    }
  }

  /// What is told of an actor that did not start: where the node is at fault, that.
  private func whyNotStarted(_ cell: ActorCell, _ lease: Int64, _ error: GridError) -> GridError {
    guard error.code == .cancelled || error.code == .stopped else { return error }
    cell.abandon(.stoppedBeforeStart)
    return holds(lease) ? error : node.notServing("\(cell.name) was stopped before it had started")
  }

  /// Whether the node stays, and what it claimed under the lease is still its own.
  private func holds(_ lease: Int64) -> Bool {
    !node.leave.isRequested && (try? membership.currentLease().identifier) == lease
      && membership.isValid(at: timers.now())
  }

  /// Whether a holder is not known to be gone.
  private func mayRun(_ holder: Location) async -> Bool {
    if holder.node == node.name || peers.link(to: holder.node) != nil { return true }
    return await probe.presence(of: holder.node) != .gone
  }

  /// A name nobody chose: the kind and 40 random bits.
  private static func generatedName(_ kind: String) -> String {
    let alphabet = Array("abcdefghjkmnpqrstvwxyz0123456789")
    let suffix = (0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }
    return "\(kind.prefix(NameRules.maximumLength - 9))-\(String(suffix))"
  }

  // MARK: Without a name

  /// Makes an actor of this node alone; it costs no transaction, and makes no event.
  ///
  /// - Throws: ``GridError/Code/noSuchKind``, ``GridError/Code/notServing`` when the node leaves, what the kind throws.
  func spawnAnonymous(_ kind: String, _ argument: Message?) throws -> ActorCell {
    let definition = try self.kind(kind)
    let request = SpawnRequest(kind: kind, argument: argument)
    let identity = ActorIdentity.local(number: cells.nextNumber(), incarnation: node.incarnation)
    let cell = ActorCell(
      identity, kind: definition, request: request, behavior: try definition.make(request), host: host)
    _ = cells.insert(cell)
    // All were stopped before this one was among them.
    guard !node.leave.isRequested else {
      cell.abandon(.startBrokenOff)
      throw node.notServing("an actor of kind \(kind) was not made")
    }
    return cell
  }
}
