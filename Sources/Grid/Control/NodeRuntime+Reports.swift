internal import Glibc
internal import GridActors
internal import GridCluster
internal import GridCore
internal import GridSystem
internal import Synchronization

extension NodeRuntime {
  func nodeInfo() -> JSONValue {
    let record = membership.record
    let load = load()
    return [
      "name": .string(nodeName), "namespace": .string(namespace), "version": .string(Self.version),
      "address": .string(identity.withLock { $0.address }), "incarnation": .integer(record?.incarnation ?? 0),
      "pid": .integer(Int64(getpid())), "member": .bool(record != nil),
      "problem": .optional(membershipProblem?.description),
      "labels": .object(configuration.labels.mapValues { .string($0) }),
      "kinds": .array(kinds.keys.sorted().map { .string($0) }), "actors": .integer(Int64(cells.count)),
      "mailbox": load["mailbox"] ?? 0, "oldestSeconds": load["oldestSeconds"] ?? .null,
      "oldestActor": load["oldestActor"] ?? .null,
      "deadLetters": load["deadLetters"] ?? 0, "uptimeSeconds": load["uptimeSeconds"] ?? .null,
      "peers": .integer(Int64(membership.peers.count)), "stateDirectory": .string(configuration.stateDirectory),
      "socket": .string(socketPath), "residentBytes": .integer(ResidentMemory.bytes()),
    ]
  }

  /// The socket that local clients use.
  var socketPath: String { GridDirectories.socket(of: nodeName, in: configuration.runtimeDirectory) }

  /// What this node adds to its line in `peers`.
  func load() -> JSONValue {
    let now = clock.now()
    var waiting: Int64 = 0
    var oldest: (seconds: Double, actor: String)?
    for cell in cells.all {
      let load = cell.load(at: now)
      waiting += Int64(load.depth)
      if let age = load.oldestSeconds, age > oldest?.seconds ?? -1 { oldest = (age, cell.name) }
    }
    return [
      "actors": .integer(Int64(cells.count)), "mailbox": .integer(waiting),
      "oldestSeconds": .optional(oldest?.seconds), "oldestActor": .optional(oldest?.actor),
      "deadLetters": .integer(Int64(deadLetterOffice.total)), "uptimeSeconds": .number((now - startedAt).inSeconds),
    ]
  }

  func peers(_ arguments: JSONValue = [:], deadline: MonotonicTime) async throws -> JSONValue {
    let (answers, missing) = await gather("load", arguments, deadline: deadline)
    return ListRequest(arguments).page(peerReports(answers).map { ListPage.Item(key: $0.name, value: $0.json) })
      .json(missing: missing)
  }

  /// The nodes of the cluster by name, with what those that answered say of their load.
  func peerReports(_ answers: [(peer: NodeRecord, answer: JSONValue, seconds: Double)]) -> [PeerReport] {
    // Outside of the cluster it answers, and yet nobody can count on it.
    let record = membership.record
    var own = PeerReport(record: self.record(nodeName), status: record == nil ? .suspect : .alive, isSelf: true)
    own.incarnation = record?.incarnation ?? 0
    own.apply(load())
    var reports = [own]
    for (peer, answer, seconds) in answers {
      var report = PeerReport(record: peer, status: .alive, isSelf: false)
      report.apply(answer)
      report.roundTripSeconds = seconds
      reports.append(report)
    }
    for peer in membership.peers where !reports.contains(where: { $0.name == peer.name }) {
      reports.append(PeerReport(record: peer, status: .suspect, isSelf: false))
    }
    for departure in peerLinks.departures where !reports.contains(where: { $0.name == departure.record.name }) {
      reports.append(PeerReport(record: departure.record, status: departure.status, isSelf: false))
    }
    return reports.sorted { $0.name < $1.name }
  }

  func actors(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    var arguments = arguments
    if let node = arguments["node"]?.stringValue {
      arguments = arguments.with("local", true).without("node")
      if node != nodeName { return try await forward("actors", arguments, to: node, deadline: deadline) }
    }
    let request = ListRequest(arguments)
    return await gatherPage(
      "actors", request, own: [localActors(request)], key: Self.actorKey, deadline: deadline)
  }

  /// Two nodes may tell of one name while it moves.
  private static func actorKey(_ item: JSONValue) -> String {
    actorKey(name(of: item), item["node"]?.stringValue ?? "")
  }

  private static func actorKey(_ name: String, _ node: String) -> String { name + "\u{0}" + node }

  private func localActors(_ request: ListRequest) -> ListPage {
    let pattern = request.arguments["pattern"]?.stringValue.map { NamePattern($0) }
    let kind = request.arguments["kind"]?.stringValue
    let minimum = request.arguments["minMailbox"]?.integerValue ?? 0
    let now = clock.now()
    let node = nodeName
    let matching = cells.all.filter { cell in
      (pattern?.matches(cell.name) ?? true) && (kind ?? cell.kindName) == cell.kindName
        && (minimum <= 0 || Int64(cell.report(at: now, withDetails: false).mailbox) >= minimum)
    }
    // Reports are made of those that the page has room for.
    let wanted = matching.filter { request.wants(Self.actorKey($0.name, node)) }.sorted { $0.name < $1.name }
    let items = wanted.lazy.map { cell in
      ListPage.Item(key: Self.actorKey(cell.name, node), value: cell.report(at: now, withDetails: false).json)
    }
    return ListPage(items, within: request.bytes, limit: request.limit, total: matching.count)
  }

  func kindList(_ arguments: JSONValue) -> JSONValue {
    var nodes: [String: [String]] = [:]
    for kind in kinds.keys { nodes[kind, default: []].append(nodeName) }
    for peer in membership.peers { for kind in peer.kinds { nodes[kind, default: []].append(peer.name) } }
    return wholeList(
      nodes.map { kind, nodes in
        ["name": .string(kind), "nodes": .array(nodes.sorted().map { .string($0) })]
      }, arguments, key: Self.name)
  }

  func inspect(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let name = try arguments.required("name")
    if let cell = cells[name] { return cell.report(at: clock.now(), withDetails: true).json }
    return try await onHolder(of: name) { node in
      try await forward("inspect", arguments, to: node, deadline: deadline)
    }
  }

  /// Runs `body` with the node that holds `name`.
  func onHolder<Result>(of name: String, _ body: (String) async throws -> Result) async throws -> Result {
    try NameRules.validated(name, as: "actor")
    guard let holder = try await membership.directory.lookUp(name), holder.record.node != nodeName else {
      throw noSuchActor(name)
    }
    return try await body(holder.record.node)
  }
}

extension PeerReport {
  fileprivate mutating func apply(_ load: JSONValue) {
    actors = load["actors"]?.integerValue.map { Int(clamping: $0) }
    mailbox = load["mailbox"]?.integerValue.map { Int(clamping: $0) }
    oldestSeconds = load["oldestSeconds"]?.doubleValue
    oldestActor = load["oldestActor"]?.stringValue
    deadLetters = load["deadLetters"]?.integerValue.map { Int(clamping: $0) }
    uptimeSeconds = load["uptimeSeconds"]?.doubleValue
  }
}
