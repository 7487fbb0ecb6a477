internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging
internal import Synchronization

extension NodeRuntime {
  /// Makes an actor here or on another node, as the request asks.
  func spawn(_ request: SpawnRequest, deadline: MonotonicTime) async throws -> ActorReport {
    if let name = request.name { try NameRules.validated(name, as: "actor") }
    if let node = request.node, node != nodeName {
      return try await spawn(request, on: node, deadline: deadline)
    }
    guard let kind = kinds[request.kind] else { return try await spawnWhereOffered(request, deadline: deadline) }
    return try await spawnOnceFree(request, kind, deadline: deadline)
  }

  /// Makes the actor here; where its name is held by a node that is gone, once that node's lease has ended.
  private func spawnOnceFree(
    _ request: SpawnRequest, _ kind: KindDefinition, deadline: MonotonicTime
  ) async throws -> ActorReport {
    while true {
      let ring = request.name.map(membership.directory.listen)
      do {
        return try await spawnHere(request, kind)
      } catch let error as GridError where error.code == .nameTaken {
        guard let ring, let name = request.name, !Task.isCancelled, clock.now() + .milliseconds(100) < deadline
        else { throw error }
        guard let holder = try await membership.directory.lookUp(name)?.record.node else { continue }
        guard holder != nodeName, await presence(of: holder) == .gone else { throw error }
        await ring.wait(atMost: .milliseconds(500))
      }
    }
  }

  private func spawn(_ request: SpawnRequest, on node: String, deadline: MonotonicTime) async throws -> ActorReport {
    try ActorReport(json: try await forward("spawn", request.json, to: node, deadline: deadline))
  }

  private func spawnWhereOffered(_ request: SpawnRequest, deadline: MonotonicTime) async throws -> ActorReport {
    let peers = request.node == nil ? membership.peers.filter { $0.kinds.contains(request.kind) } : []
    var refusal: GridError?
    for peer in peers {
      var placed = request
      placed.node = peer.name
      do {
        return try await spawn(placed, on: peer.name, deadline: deadline)
      } catch let error as GridError where error.code == .notServing {
        // It has done nothing: the next one may.
        refusal = error
      }
    }
    guard let refusal else {
      let known = Set(kinds.keys).union(membership.peers.flatMap(\.kinds)).sorted()
      let place = request.node.map { "node \($0)" } ?? "no node"
      throw GridError(
        .noSuchKind,
        request.node == nil ? "\(place) offers kind \(request.kind)" : "\(place) does not offer kind \(request.kind)",
        hint: "kinds: \(known.joined(separator: ", "))")
    }
    throw refusal
  }

  func spawnHere(_ request: SpawnRequest, _ kind: KindDefinition) async throws -> ActorReport {
    var request = request
    let name = request.name ?? Self.generatedName(request.kind)
    request.name = name
    let behavior = try kind.make(request)
    let record = ActorRecord(
      name: name, kind: kind.name, node: nodeName, incarnation: identity.withLock { $0.incarnation })
    let epoch: Int64
    let lease: Int64
    do throws(GridError) {
      (epoch, lease) = try await claim(record)
    } catch {
      guard error.code == .nameTaken, request.ifAbsent,
        let holder = try await membership.directory.lookUp(name), await mayRun(holder)
      else { throw error }
      return ActorReport(
        name: name, kind: holder.record.kind, node: holder.record.node, status: .running, epoch: holder.epoch)
    }
    let cell = ActorCell(name: name, epoch: epoch, kind: kind, request: request, behavior: behavior, host: self)
    guard cells.insert(cell) else {
      // Its lease was lost, so the name was free for all; but what ran under it here is not gone yet.
      releases.add(.actor(name, epoch: epoch))
      throw GridError(
        .nameTaken, "the former \(name) still runs on \(nodeName): \(cells[name]?.holdings ?? "it is ending")",
        hint: "it is being ended; try again soon")
    }
    // Where the lease ended meanwhile, or the node began to leave, the actors under it were stopped before this one was
    // among them.
    guard holds(lease) else {
      cell.abandon(.startBrokenOff)
      throw notServing("\(name) was not made")
    }
    do throws(GridError) {
      try await cell.start()
    } catch {
      throw whyNotStarted(cell, lease, error)
    }
    happened(.actorSpawned(kind: kind.name, epoch: epoch), name)
    return cell.report(at: clock.now(), withDetails: false)
  }

  /// Claims a name under the present lease.
  private func claim(_ record: ActorRecord) async throws(GridError) -> (epoch: Int64, lease: Int64) {
    if stopRequested.isOpen { throw notServing("\(record.name) was not made") }
    let lease = try membership.currentLease().identifier
    do throws(GridError) {
      let epoch = try await releases.claiming(record.name) { () throws(GridError) in
        try await membership.directory.claim(record, lease: lease)
      }
      return (epoch, lease)
    } catch {
      // Whatever was claimed ends with the lease: nothing runs, and nothing will.
      guard error.code == .cancelled || error.code == .leaseLost else { throw error }
      throw notServing("\(record.name) was not made", cause: error)
    }
  }

  /// What is told of an actor that did not start: where the node is at fault, that.
  private func whyNotStarted(_ cell: ActorCell, _ lease: Int64, _ error: GridError) -> GridError {
    guard error.code == .cancelled || error.code == .stopped else { return error }
    cell.abandon(.stoppedBeforeStart)
    return holds(lease) ? error : notServing("\(cell.name) was stopped before it had started")
  }

  /// Whether the node stays, and what it claimed under the lease is still its own.
  private func holds(_ lease: Int64) -> Bool {
    !stopRequested.isOpen && (try? membership.currentLease().identifier) == lease
      && membership.isValid(at: clock.now())
  }

  /// Whether a holder is not known to be gone.
  private func mayRun(_ holder: NameDirectory.Entry) async -> Bool {
    if holder.record.node == nodeName || peerLinks.link(to: holder.record.node) != nil { return true }
    return await presence(of: holder.record.node) != .gone
  }

  /// A name nobody chose: the kind and 40 random bits.
  private static func generatedName(_ kind: String) -> String {
    let alphabet = Array("abcdefghjkmnpqrstvwxyz0123456789")
    let suffix = (0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }
    return "\(kind.prefix(NameRules.maximumLength - 9))-\(String(suffix))"
  }

  /// How long a handler may take to end when its actor is stopped.
  static let stopGrace = Duration.seconds(10)
  /// What is kept of a request's time to say why it was not enough.
  private static let timeToAnswer = Duration.milliseconds(200)

  func stopActor(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let name = try arguments.required("name")
    guard let cell = cells[name] else {
      return try await onHolder(of: name) { node in
        try await forward("stop", arguments, to: node, deadline: deadline)
      }
    }
    let kill = arguments["kill"]?.boolValue ?? false
    let now = clock.now()
    let limit = timeToSay(deadline, from: now)
    singletons.willStop(name, epoch: cell.epoch)
    cell.stop(kill ? .killed : .request)
    if !kill { try await wait(for: cell, until: min(limit, now + Self.stopGrace)) }
    if kill || clock.now() < limit {
      cell.abandon(kill ? .killed : .handlerDidNotReturn)
      try await wait(for: cell, until: limit)
    }
    guard cells[name] !== cell else { throw Self.stillRuns(cell, wasKilled: kill) }
    await releases.add(.actor(name, epoch: cell.epoch)).wait()
    return ["name": .string(name), "node": .string(nodeName)]
  }

  /// Has an actor start afresh, wherever it runs.
  func restartActor(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let name = try arguments.required("name")
    guard let cell = cells[name] else {
      return try await onHolder(of: name) { node in
        try await forward("restart", arguments, to: node, deadline: deadline)
      }
    }
    let now = clock.now()
    do throws(GridError) {
      try await cell.restart(within: timeToSay(deadline, from: now) - now)
    } catch {
      guard error.code == .deadline else { throw error }
      throw GridError(
        .deadline, "\(name) has not restarted yet: \(cell.holdings)",
        hint: "it starts afresh once that has ended; to end it now: gridctl stop \(name) --kill")
    }
    happened(.actorRestarted(by: .request), name)
    return ["name": .string(name), "node": .string(nodeName)]
  }

  /// When an answer is due that says why the time was not enough.
  func timeToSay(_ deadline: MonotonicTime, from now: MonotonicTime) -> MonotonicTime {
    deadline + (.zero - min(Self.timeToAnswer, (deadline - now) / 10))
  }

  /// Returns when the cell is gone, with all that its name stood for, or at the time.
  private func wait(for cell: ActorCell, until limit: MonotonicTime) async throws {
    while cells[cell.name] === cell, clock.now() < limit { try await Task.sleep(for: .milliseconds(2)) }
  }

  private static func stillRuns(_ cell: ActorCell, wasKilled: Bool) -> GridError {
    GridError(
      .deadline, "\(cell.name) has not stopped yet: \(cell.holdings)",
      hint: wasKilled
        ? "it was killed; its name is free once the system has ended it"
        : "its name is free once it has ended; end it now with: gridctl stop \(cell.name) --kill")
  }
}
