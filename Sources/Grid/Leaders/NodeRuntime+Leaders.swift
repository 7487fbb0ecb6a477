internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Logging
internal import Synchronization

extension NodeRuntime {
  /// How long a candidate waits for news before it looks for itself: news can be lost with a broken watch.
  private static let candidatePatience = Duration.seconds(2)

  /// Attempts to stand that may fail before it is told.
  private static let quietFailures = 3

  /// Campaigns until the leadership is won or the task is cancelled; without `waiting`, until somebody else leads.
  ///
  /// - Throws: ``GridError/Code/cancelled``; ``GridError/Code/retryLater`` when somebody else leads.
  func campaign(_ name: String, holder: String, waiting: Bool = true) async throws(GridError) -> Leadership {
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var failures = 0
    while !Task.isCancelled {
      let ring = membership.leaders.listen(for: name)
      do throws(GridError) {
        if let leadership = try await stand(name, holder) { return leadership }
        if failures >= Self.quietFailures {
          logger.notice("stands for a leadership again", metadata: ["leader": "\(name)"])
        }
        failures = 0
        if !waiting, let other = try await otherLeader(name) { throw other }
        await ring.wait(atMost: Self.candidatePatience)
      } catch {
        if error.code == .retryLater, !waiting { throw error }
        // The store is away, or this node is between two memberships: it is a candidate all the same.
        // Not the first few times: what mends itself at once is no news.
        logger.log(
          level: failures == Self.quietFailures ? .warning : .debug, "cannot stand for a leadership, tries again",
          metadata: ["leader": "\(name)", "error": "\(error)"])
        await ring.wait(atMost: backoff.pause(before: failures))
        failures += 1
      }
    }
    throw GridError(.cancelled, "no longer a candidate for \(name)")
  }

  /// Who leads instead of a candidate that does not wait; nil when nobody does after all.
  private func otherLeader(_ name: String) async throws(GridError) -> GridError? {
    guard let leader = try await membership.leaders.lookUp(name)?.record else { return nil }
    // One of our own that has been given up is free in a moment.
    if leader.node == nodeName, leaders[name] == nil { return nil }
    return GridError(.retryLater, "\(name) is led by \(leader.holder) under node \(leader.node)")
  }

  /// Stands once.
  private func stand(_ name: String, _ holder: String) async throws(GridError) -> Leadership? {
    let lease = try membership.currentLease()
    let record = LeaderRecord(
      name: name, node: nodeName, incarnation: identity.withLock { $0.incarnation }, holder: holder,
      since: clock.date())
    let claim = try await releases.claiming(name) { () throws(GridError) in
      try await membership.leaders.claim(record, lease: lease.identifier)
    }
    guard case .won(let token) = claim else { return nil }
    let leadership = Leadership(name: name, token: token, holder: holder)
    leaders.add(leadership)
    // The lease may have gone between the claim and now.
    guard let current = try? membership.currentLease(), current == lease, membership.isValid(at: clock.now()) else {
      leaders.remove(leadership, nil)
      return nil
    }
    return leadership
  }

  /// Gives a leadership up once its holder has stopped acting.
  func giveUp(_ leadership: Leadership) {
    leaders.remove(leadership, nil)
    releases.add(.leader(leadership.name, token: leadership.token))
  }

  /// Asks every leader of this node to give up, and waits for them; those that do not are told that they lost.
  func resignAll(grace: Duration) async {
    let limit = clock.now() + grace
    for leadership in leaders.all { leadership.resignRequested.open() }
    for leadership in leaders.all { _ = await leadership.ended.wait(atMost: limit - clock.now()) }
    leaders.endAll(GridError(.leaseLost, "node \(nodeName) leaves"))
  }

  /// What the watch says of a leader: an event for people, and the end of a leadership of ours that is gone.
  func leaderChanged(_ change: LeaderChange) {
    if let own = leaders[change.name], own.token != change.leader?.token, own.token < change.revision {
      leaders.remove(own, GridError(.leaseLost, "the leadership of \(change.name) is gone from the store"))
    }
    if let leader = change.leader {
      happened(.leaderElected(node: leader.record.node, token: leader.token), change.name)
    } else {
      happened(.leaderLost, change.name)
    }
  }

  // MARK: Requests

  /// The leaders, and with the argument `singletons` the actors that run once in the namespace, too.
  func listLeaders(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let leaders = try await membership.leaders.lookUpAll().map(\.json)
    guard arguments["singletons"]?.boolValue ?? false else { return wholeList(leaders, arguments, key: Self.name) }
    let (singletons, missing) = await allSingletons(deadline: deadline)
    // A leadership and an actor may have the same name.
    return wholeList(
      leaders + singletons.map(\.json), arguments, key: { "\(Self.name(of: $0)) \($0["type"]?.stringValue ?? "")" },
      missing: missing)
  }

  func showLeader(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let name = try NameRules.validated(try arguments.required("name"), as: "leader")
    guard let leader = try await membership.leaders.lookUp(name) else {
      if let singleton = try await runningSingleton(name, deadline: deadline) { return singleton }
      throw GridError(
        .unavailable, "\(name) has no leader at the moment",
        hint: "wait for one with: gridctl wait leader/\(name)")
    }
    return leader.json
  }

  /// Says how long the asking client may certainly go on as leader.
  ///
  /// Counted from the time at which the client asked, that is on the safe side: the node counts from later.
  func keepLeadership(_ arguments: JSONValue) throws -> JSONValue {
    let name = try arguments.required("name")
    guard let leadership = leaders[name], leadership.token == arguments["token"]?.integerValue else {
      throw GridError(.leaseLost, "the leadership of \(name) is lost")
    }
    let remaining = membership.remainingValidity(at: clock.now())
    return ["remainingMicroseconds": .integer(max(0, remaining.wholeNanoseconds / 1000))]
  }

  /// Asks the leader, on whichever node, to give up, and waits until it has.
  func resignLeadership(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let name = try NameRules.validated(try arguments.required("name"), as: "leader")
    guard let leadership = leaders[name] else {
      let leader = try await membership.leaders.lookUp(name)
      guard let leader, leader.record.node != nodeName, !arguments.isLocal else {
        throw GridError(.unavailable, "\(name) has no leader at the moment", hint: "see: gridctl leader show")
      }
      return try await forward(
        "leader.resign", arguments.with("local", true), to: leader.record.node, deadline: deadline)
    }
    leadership.resignRequested.open()
    guard await leadership.ended.wait(atMost: deadline - clock.now()) else {
      throw GridError(.deadline, "the leader of \(name) was asked to give up but has not yet")
    }
    return ["name": .string(name), "node": .string(nodeName), "token": .integer(leadership.token)]
  }

  // MARK: Campaigns of clients

  /// Starts the stream of a client that wants to lead: it hears of its election, of a wish that it resign, and of the
  /// loss. The client ends the stream once it has stopped acting.
  func startCampaign(_ arguments: JSONValue, _ correlation: UInt64, _ link: Link) throws {
    let name = try NameRules.validated(try arguments.required("name"), as: "leader")
    let stream = ClusterStream(
      link: link, correlation: correlation, verb: "leader.campaign", arguments: arguments, isClusterWide: false,
      began: clock.date())
    let ended = Latch()
    stream.onEnd { ended.open() }
    streams.start(stream, link: link, correlation: correlation, peers: [])
    enqueue(
      .campaign(
        name, holder: arguments["holder"]?.stringValue ?? "", waiting: !(arguments["once"]?.boolValue ?? false), stream,
        ended: ended))
  }

  func runCampaign(_ name: String, holder: String, waiting: Bool, _ stream: ClusterStream, ended: Latch) async {
    let leadership: Leadership
    switch await campaign(name, holder: holder, waiting: waiting, until: ended) {
    case .success(let won): leadership = won
    case .failure(let error):
      if !waiting { stream.send(["kind": "held", "name": .string(name), "message": .string(error.message)]) }
      return
    case nil: return
    }
    stream.send(["kind": "elected", "name": .string(name), "token": .integer(leadership.token)])
    await withDiscardingTaskGroup { group in
      group.addTask {
        await leadership.resignRequested.wait()
        if leadership.resignRequested.isOpen { stream.send(["kind": "resign", "name": .string(name)]) }
      }
      group.addTask {
        await leadership.ended.wait()
        if let loss = leadership.loss {
          stream.send(["kind": "lost", "name": .string(name), "message": .string(loss.message)])
        }
      }
      await ended.wait()
      group.cancelAll()
    }
    giveUp(leadership)
  }

  /// Campaigns until elected, or until `ended` opens.
  private func campaign(
    _ name: String, holder: String, waiting: Bool, until ended: Latch
  ) async -> Result<Leadership, GridError>? {
    await withTaskGroup(of: Result<Leadership, GridError>?.self) { group in
      group.addTask {
        do throws(GridError) {
          return .success(try await self.campaign(name, holder: holder, waiting: waiting))
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        await ended.wait()
        return nil
      }
      var outcome: Result<Leadership, GridError>?
      for await result in group {
        outcome = outcome ?? result
        group.cancelAll()
      }
      guard ended.isOpen else { return outcome }
      // Elected at the moment the client went away: nobody would act.
      if case .success(let elected) = outcome { self.giveUp(elected) }
      return nil
    }
  }
}

extension LeaderDirectory.Entry {
  /// The contract form: `name node holder token since type`.
  var json: JSONValue {
    [
      "name": .string(record.name), "node": .string(record.node), "holder": .string(record.holder),
      "token": .integer(token), "since": .string(record.since.rfc3339), "type": "leader",
    ]
  }
}
