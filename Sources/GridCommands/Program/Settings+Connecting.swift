internal import Grid
internal import GridClient
internal import GridCore
internal import GridSystem

extension Settings {
  /// The longest that a connection is waited for, whatever its answers may take.
  private static let connectPatience = Duration.seconds(5)

  /// Connects to the first node that answers: of `others` when given, else as the options say, else any node of the
  /// namespace on this machine.
  ///
  /// - Parameter timeout: how long that may take; nil for what the options say, 5 seconds at most.
  func connect(to others: [String] = [], timeout: Duration? = nil) async throws(GridError) -> NodeConnection {
    let patience = timeout ?? min(self.timeout, Self.connectPatience)
    let chosen = others.isEmpty ? endpoints : others
    return chosen.isEmpty ? try await connectHere(patience) : try await open(chosen, patience)
  }

  /// Where nodes may be found: the endpoints that were named, else the sockets of this machine's nodes.
  var knownEndpoints: [String] {
    if !endpoints.isEmpty { return endpoints }
    return (try? LocalSockets.find(in: directories))?.sockets.map { "unix:\($0)" } ?? []
  }

  private func open(_ endpoints: [String], _ timeout: Duration) async throws(GridError) -> NodeConnection {
    try await NodeConnection.open(
      endpoints, namespace: namespace, timeout: timeout, clock: SystemClock(), secretFile: secretPath)
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
    let registered = await RegisteredNodes.addresses(namespace: namespace, stateDirectory: directories.state)
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

  // MARK: The secret

  /// Where the secret of the namespace is.
  var secretPath: String { secretFile ?? directories.secret }
}
