internal import GridCore
internal import GridStoreSQLite
internal import GridSystem

#if Etcd
  internal import GridStoreEtcd
#endif

/// Makes the coordination store that `--store` names. The only place that knows whether etcd was built in.
enum CoordinationStoreFactory {
  /// The file of the embedded store in a state directory.
  static let embeddedFile = "coordination.sqlite"

  /// - Parameter text: `embedded`, or `etcd://HOST:PORT[,HOST:PORT…][/PREFIX]`.
  /// - Throws: ``GridError/Code/usage`` for another text, ``GridError/Code/unavailable`` when the store cannot be
  ///   opened or reached.
  static func make(_ text: String, prefix: String?, stateDirectory: String) async throws(GridError)
    -> any CoordinationStore
  {
    if text == "embedded" {
      return try await SQLiteCoordinationStore(path: "\(stateDirectory)/\(embeddedFile)", clock: SystemClock())
    }
    guard text.hasPrefix("etcd://") || text.hasPrefix("etcds://") else {
      throw GridError(
        .usage, "unknown coordination store \(NameRules.quoted(text))", hint: "embedded, or etcd://HOST:2379")
    }
    return try await etcd(text, prefix: prefix)
  }

  #if Etcd
    private static func etcd(_ text: String, prefix: String?) async throws(GridError) -> any CoordinationStore {
      var configuration = try EtcdConfiguration(parsing: text, environment: ProcessEnvironment.variables)
      if let prefix { configuration.prefix = prefix }
      let store = try EtcdCoordinationStore(configuration, clock: SystemClock())
      do throws(GridError) {
        _ = try await store.describe()
        return store
      } catch {
        await store.close()
        throw error
      }
    }
  #else
    private static func etcd(_ text: String, prefix: String?) async throws(GridError) -> any CoordinationStore {
      throw GridError(
        .configuration, "this gridctl was built without etcd, to be small",
        hint: "build one that has it: make build, or swift build -c release --product gridctl")
    }
  #endif
}
