internal import ArgumentParser
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests

extension NodeCommand {
  struct Stop: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "stop", abstract: "Ask a node to leave the cluster and end.",
      discussion: """
        With --all every node of the cluster leaves, on all machines, one after the other; the one that is asked is the
        last. What ran on them is gone then; waiting mail becomes dead letters.

        Examples:
          gridctl node stop n2
          gridctl node stop --all --yes
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The node; it may be left out when this machine runs only one.")
    var node: NodeArgument?
    @Flag(help: "Every node of the cluster, one after the other.")
    var all = false
    @Flag(help: "End at once, without stopping its actors in good order.")
    var force = false

    func run() async throws {
      let name = try node?.validated()
      if all, node != nil { throw GridError(.usage, "--all goes without the name of a node") }
      let session = try await CommandSession(global)
      if all { return try await stopAll(session) }
      if node == nil, session.settings.endpoints.isEmpty {
        let count = try await session.settings.places.countHere()
        guard count == 1 else {
          throw GridError(
            .usage, "\(count) nodes run on this machine: name the one to stop",
            hint: "gridctl node stop NAME, or gridctl node stop --all")
        }
      }
      try await session.confirm("stop node \(node?.text ?? session.connection.nodeName)", asksAnyway: true)
      try await stop(name, session)
    }

    /// Stops one node, and says so when it is gone.
    private func stop(_ node: String?, _ session: CommandSession) async throws {
      let name = try await session.request(NodeStopRequest(isForced: force), to: node).node
      try await waitUntilGone(name, session)
      if session.renderer.format == .name {
        try session.writer.foreign("node/\(name)\n")
      } else if !session.settings.isQuiet {
        session.writer.remark("node \(name) has left")
      }
    }

    // MARK: All of them

    /// One after the other, so that those that stay can still say what the ones before have become. Nodes that join
    /// meanwhile leave as well.
    private func stopAll(_ session: CommandSession) async throws {
      let own = session.connection.nodeName
      let first = try await Self.members(session)
      let others = first.filter { $0 != own }
      let place = "namespace \(session.settings.namespace)"
      let listed = (others + [own]).joined(separator: ", ")
      try await session.confirm(
        others.isEmpty
          ? "stop node \(own), the only one of \(place)"
          : "stop all \(others.count + 1) nodes of \(place) (\(listed))", asksAnyway: true)
      var tried: Set<String> = [own]
      var hasFailed = false
      while let next = try await Self.members(session).first(where: { !tried.contains($0) }) {
        tried.insert(next)
        do {
          try await stop(next, session)
        } catch let error as GridError where error.code != .brokenPipe {
          hasFailed = true
          ErrorReport(error: error, target: nil, node: next).write(
            format: session.renderer.format, to: session.writer)
        }
      }
      try await stop(own, session)
      if hasFailed { throw ExitCode(ExitStatus.partial.rawValue) }
    }

    /// The nodes that are there, or whose end nobody knows of, sorted.
    private static func members(_ session: CommandSession) async throws -> [String] {
      try await session.items(PeersRequest()).items()
        .filter { $0.status == .alive || $0.status == .suspect }.map(\.name).sorted()
    }

    // MARK: Their end

    /// How long a node may take to leave where nobody said otherwise: its actors and programs end first.
    private static let patience = Duration.seconds(30)

    /// The command returns when the node is gone, so that a script can start it again at once.
    private func waitUntilGone(_ name: String, _ session: CommandSession) async throws {
      if name == session.connection.nodeName {
        await session.connection.untilClosed()
        return
      }
      let patience = session.settings.sources.timeout == .standard ? Self.patience : session.timeout
      // Its end is told as an event, and looked for from before the first look.
      let bells = ChangeBells()
      let hasGone: Bool? = try await session.cluster.timers.withLimit(patience) { () async throws -> Bool in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await bells.follow(session.connection, kinds: [.peer, .node]) { _ in } }
          group.addTask { try await bells.untilTrue { try await !Self.members(session).contains(name) } }
          defer { group.cancelAll() }
          try await group.next()
          return true
        }
      }
      if hasGone == true { return }
      throw GridError(.deadline, "node \(name) is still there", hint: "its actors may need longer; see: gridctl peers")
    }
  }
}
