internal import Glibc
internal import GridCluster
internal import GridCore
internal import GridStoreSQLite
internal import GridSystem

/// The nodes that are registered in the embedded store of a state directory: the other way to find a node of this
/// machine, when its socket is not where it is looked for.
package enum RegisteredNodes {
  /// Where they listen; none when there is no such store, or it cannot be read.
  package static func addresses(namespace: String, stateDirectory: String) async -> [String] {
    let path = stateDirectory + "/" + CoordinationStoreFactory.embeddedFile
    // Looking must not make one.
    guard access(path, R_OK | W_OK) == 0,
      let store = try? await SQLiteCoordinationStore(path: path, clock: SystemClock())
    else { return [] }
    let nodes = try? await Membership.nodes(in: store, namespace: namespace)
    await store.close()
    return (nodes ?? []).map(\.address)
  }
}
