internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import GridSystem

/// `gridctl node join`
struct NodeJoinCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Get the secret of a cluster for this machine, with a token of role node.",
    discussion: """
      Done once on a new machine; afterwards its nodes and clients know the secret. It is put where they look for it, or
      where --secret-file says, and never shown. On the way it is sealed with what the token is, so that nobody reads it
      who reads along.

      Examples:
        gridctl node join 10.0.0.1:4743 --token-file join.token --namespace shop
        gridctl node start --namespace shop --store etcd://10.0.0.9:2379 --listen 10.0.0.2:4743 --insecure
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("A node of the cluster.", valueName: "host:port"))
  var node: String

  func run() async throws {
    var options = global
    options.endpoint = [node]
    let settings = try Settings(options)
    guard let reference = settings.token, !node.hasPrefix("unix:") else {
      throw GridError(
        .usage, "a machine joins with a token, over HOST:PORT",
        hint: "there: gridctl token create --role node; here: gridctl node join HOST:PORT --token-file FILE")
    }
    let token = try HeldToken(parsing: try await reference.token(environment: Settings.variables))
    let recipient = SecretRecipient(token, namespace: settings.namespace)
    // What the token is shown for is the secret: one that lies here already is not.
    var places = settings.places
    places.token = { token.text }
    let cluster = ClusterClient(places, patience: settings.connectPatience)
    let connection = try await cluster.connection(timeout: settings.connectPatience)
    defer { cluster.close() }
    let sealed = try await connection.ask(
      NodeSecretRequest(publicKey: recipient.publicKey), timeout: settings.timeout)
    try Self.keep(try recipient.open(sealed), settings)
    try report(connection.nodeName, settings)
  }

  /// Puts the secret where nodes and clients look for it; another one stays as it is.
  private static func keep(_ secret: NamespaceSecret, _ settings: Settings) throws(GridError) {
    let path = settings.secretPath
    if settings.secretFile == nil { try PrivateDirectory.makeOwned(settings.directories.state, for: .state) }
    try SecretFile.restore(secret, at: path)
    guard let there = try SecretFile.read(path), there.bytes == secret.bytes else {
      throw GridError(
        .nameTaken, "there is another secret \(path)",
        hint: "it is of another cluster, or of nodes that run here; move it away, or name another file: --secret-file")
    }
  }

  private func report(_ name: String, _ settings: Settings) throws {
    let renderer = settings.renderer
    guard settings.format == .table || settings.format == .wide else {
      return try renderer.object(
        [
          "name": .string(name), "namespace": .string(settings.namespace), "secretFile": .string(settings.secretPath),
        ], kind: "Joining", noun: "node")
    }
    try renderer.writer.output("this machine has the secret of namespace \(settings.namespace), from node \(name)\n")
    if !settings.isQuiet {
      renderer.writer.error("start a node with: gridctl node start --namespace \(settings.namespace) --store …")
    }
  }
}
