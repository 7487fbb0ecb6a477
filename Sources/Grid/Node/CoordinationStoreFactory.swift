internal import GridCore
internal import GridLink
internal import GridStoreSQLite
internal import GridSystem

#if Etcd
  internal import GridStoreEtcd
#endif

/// Makes the coordination store that `--store` names. The only place that knows whether etcd was built in.
enum CoordinationStoreFactory {
  /// The file of the embedded store in a state directory.
  static let embeddedFile = "coordination.sqlite"

  /// - Parameter configuration: its ``NodeConfiguration/coordination`` is `embedded`, or
  ///   `etcd://HOST:PORT[,HOST:PORT…][/PREFIX]`.
  /// - Throws: ``GridError/Code/usage`` for another text, ``GridError/Code/unavailable`` when the store cannot be
  ///   opened or reached.
  static func make(_ configuration: NodeConfiguration, clock: any GridClock) async throws(GridError)
    -> any CoordinationStore
  {
    let text = configuration.coordination
    if text == "embedded" {
      return try await SQLiteCoordinationStore(path: "\(configuration.stateDirectory)/\(embeddedFile)", clock: clock)
    }
    guard text.hasPrefix("etcd://") || text.hasPrefix("etcds://") else {
      throw GridError(
        .usage, "unknown coordination store \(NameRules.quoted(text))", hint: "embedded, or etcd://HOST:2379")
    }
    return try await etcd(configuration, clock)
  }

  #if Etcd
    /// Whether what goes to the store can be read and changed on its way through a network.
    static func isInClearText(_ configuration: NodeConfiguration) -> Bool {
      let names = ["GRIDCTL_ETCD_CA", "GRIDCTL_ETCD_CERT", "GRIDCTL_ETCD_KEY"]
      let files = configuration.environment.filter { names.contains($0.key) }
      guard let etcd = try? EtcdConfiguration(parsing: configuration.coordination, environment: files) else {
        return false
      }
      return !etcd.usesTLS && !etcd.endpoints.allSatisfy { LinkAddress.tcp(host: $0.host, port: $0.port).isLocal }
    }

    private static func etcd(
      _ configuration: NodeConfiguration, _ clock: any GridClock
    ) async throws(GridError) -> any CoordinationStore {
      var etcd = try EtcdConfiguration(parsing: configuration.coordination, environment: configuration.environment)
      if let prefix = configuration.storePrefix { etcd.prefix = prefix }
      let store = try EtcdCoordinationStore(etcd, clock: clock)
      do throws(GridError) {
        _ = try await store.describe()
        return store
      } catch {
        await store.close()
        throw error
      }
    }
  #else
    static func isInClearText(_ configuration: NodeConfiguration) -> Bool { false }

    private static func etcd(
      _ configuration: NodeConfiguration, _ clock: any GridClock
    ) async throws(GridError) -> any CoordinationStore {
      throw GridError(
        .configuration, "this gridctl was built without etcd, to be small",
        hint: "build one that has it: make build, or swift build -c release --product gridctl")
    }
  #endif
}
