internal import ArgumentParser
internal import Grid
internal import GridClient
internal import GridCore
internal import GridSystem

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
      let arguments = try NodeArgument.arguments(node).with("force", .bool(force))
      if all, node != nil { throw GridError(.usage, "--all goes without the name of a node") }
      let session = try await CommandSession(global)
      if all { return try await stopAll(session) }
      if node == nil, session.settings.endpoints.isEmpty {
        let count = try await runningHere(session)
        guard count == 1 else {
          throw GridError(
            .usage, "\(count) nodes run on this machine: name the one to stop",
            hint: "gridctl node stop NAME, or gridctl node stop --all")
        }
      }
      try await session.confirm("stop node \(node?.text ?? session.connection.nodeName)", asksAnyway: true)
      try await stop(arguments, session)
    }

    /// Stops one node, and says so when it is gone.
    private func stop(_ arguments: JSONValue, _ session: CommandSession) async throws {
      let answer = try await session.request("node.stop", arguments)
      let name = answer["node"]?.stringValue ?? ""
      try await waitUntilGone(name, session)
      if session.renderer.format == .name {
        try session.writer.output("node/\(name)\n")
      } else if !session.settings.isQuiet {
        session.writer.error("node \(name) has left")
      }
    }

    /// By their sockets; where none has any more, by what they have registered.
    private func runningHere(_ session: CommandSession) async throws(GridError) -> Int {
      let settings = session.settings
      let sockets = try LocalSockets.find(in: settings.directories).sockets.filter { !LocalSockets.isAbandoned($0) }
      guard sockets.isEmpty else { return sockets.count }
      return await RegisteredNodes.addresses(
        namespace: settings.namespace, stateDirectory: settings.directories.state
      ).count
    }

    // MARK: All of them

    /// One after the other, so that those that stay can still say what the ones before have become. Nodes that join
    /// meanwhile leave as well.
    private func stopAll(_ session: CommandSession) async throws {
      let own = session.connection.nodeName
      let first = try await members(session)
      let others = first.filter { $0 != own }
      let place = "namespace \(session.settings.namespace)"
      let listed = (others + [own]).joined(separator: ", ")
      try await session.confirm(
        others.isEmpty
          ? "stop node \(own), the only one of \(place)"
          : "stop all \(others.count + 1) nodes of \(place) (\(listed))", asksAnyway: true)
      var tried: Set<String> = [own]
      var hasFailed = false
      while let next = try await members(session).first(where: { !tried.contains($0) }) {
        tried.insert(next)
        do {
          try await stop(["node": .string(next), "force": .bool(force)], session)
        } catch let error as GridError where error.code != .brokenPipe {
          hasFailed = true
          ErrorReport(error: error, target: nil, node: next).write(
            format: session.renderer.format, to: session.writer)
        }
      }
      try await stop(["node": .string(own), "force": .bool(force)], session)
      if hasFailed { throw ExitCode(ExitStatus.partial.rawValue) }
    }

    /// The nodes that are there, or whose end nobody knows of, sorted.
    private func members(_ session: CommandSession) async throws -> [String] {
      try await session.items("peers").items
        .filter { ["alive", "suspect"].contains($0["status"]?.stringValue) }
        .compactMap { $0["name"]?.stringValue }.sorted()
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
      let limit = ContinuousClock.now + patience
      while ContinuousClock.now < limit {
        if try await !members(session).contains(name) { return }
        try await Task.sleep(for: .milliseconds(20))
      }
      throw GridError(.deadline, "node \(name) is still there", hint: "its actors may need longer; see: gridctl peers")
    }
  }
}
