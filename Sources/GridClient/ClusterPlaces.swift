package import GridCore
package import GridSystem

/// Where the nodes of one cluster may be found, as plain values: endpoints that were named, else the sockets of this
/// machine's nodes, else what these have registered.
package struct ClusterPlaces: Sendable {
  package var namespace: String
  /// Tells this cluster from others that somebody goes to.
  package var identity: String
  /// Nodes to try in order; empty for any node of the namespace on this machine.
  package var endpoints: [String]
  package var directories: GridDirectories
  /// The file with the secret of the namespace; read when a node over TCP wants it proved.
  package var secretFile: String
  /// The files of TLS, for nodes over TCP; nil without.
  package var tls: TLSFiles?
  /// The token that is shown over TCP instead of it, asked for when a node there is dialled; nil shows the secret.
  package var token: (@Sendable () async throws(GridError) -> String)?
  /// Where nodes of this machine say that they listen, asked when no socket leads to one.
  package var registered: @Sendable () async -> [String]

  package init(
    namespace: String, endpoints: [String] = [], directories: GridDirectories, secretFile: String? = nil,
    registered: @escaping @Sendable () async -> [String] = { [] }
  ) {
    self.namespace = namespace
    identity = namespace
    self.endpoints = endpoints
    self.directories = directories
    self.secretFile = secretFile ?? directories.secret
    self.registered = registered
  }

  /// Connects to the first node that answers: of `others` when given, else of the endpoints, else any node of the
  /// namespace on this machine.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when none does within `timeout`; what ``NodeConnection/open`` throws.
  package func connect(
    to others: [String] = [], timeout: Duration
  ) async throws(GridError) -> NodeConnection {
    let chosen = others.isEmpty ? endpoints : others
    return chosen.isEmpty ? try await connectHere(timeout) : try await open(chosen, timeout)
  }

  /// Where nodes may be found without asking one.
  package var known: [String] {
    if !endpoints.isEmpty { return endpoints }
    return (try? LocalSockets.find(in: directories))?.sockets.map { "unix:\($0)" } ?? []
  }

  /// The sockets of nodes on this machine, as endpoints, by the names of the nodes.
  package var local: [(node: String, endpoint: String)] {
    ((try? LocalSockets.find(in: directories))?.sockets ?? []).map { path in
      let file = path.split(separator: "/").last.map(String.init) ?? path
      return (String(file.dropLast(5)), "unix:\(path)")
    }
  }

  /// How many nodes run on this machine: by their sockets; where none has any more, by what they have registered.
  package func countHere() async throws(GridError) -> Int {
    let sockets = try LocalSockets.find(in: directories).sockets.filter { !LocalSockets.isAbandoned($0) }
    return sockets.isEmpty ? await registered().count : sockets.count
  }

  private func open(_ endpoints: [String], _ timeout: Duration) async throws(GridError) -> NodeConnection {
    // A Unix socket asks for none, and a command that tells it may take its time.
    let isRemote = endpoints.contains { !$0.hasPrefix("unix:") }
    let token: String? = if isRemote, let token { try await token() } else { nil }
    return try await NodeConnection.open(
      endpoints, namespace: namespace, timeout: timeout, clock: SystemClock(), secretFile: secretFile, tls: tls,
      token: token)
  }

  /// By the sockets of this machine's nodes; where there is none that lives, by what they have registered.
  private func connectHere(_ timeout: Duration) async throws(GridError) -> NodeConnection {
    let found = try LocalSockets.find(in: directories)
    if !found.sockets.isEmpty {
      do throws(GridError) {
        return try await open(found.sockets.map { "unix:\($0)" }, timeout)
      } catch {
        // Sockets that killed nodes left behind are no nodes.
        guard found.sockets.allSatisfy(LocalSockets.isAbandoned) else { throw error }
      }
    }
    let registered = await registered()
    guard !registered.isEmpty else { throw noLocalNode(found) }
    do throws(GridError) {
      return try await open(registered, timeout)
    } catch {
      throw error.code == .unavailable ? noLocalNode(found) : error
    }
  }

  private func noLocalNode(_ found: LocalSockets.Found) -> GridError {
    GridError(
      .unavailable, "no node of namespace \(namespace) runs on this machine",
      hint: "start one with: gridctl node start --detach    or name one with: --endpoint HOST:PORT",
      cause: found.passedBy.isEmpty ? nil : found.passedBy.joined(separator: "; "))
  }
}
