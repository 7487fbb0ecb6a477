package import GridCore

/// What nodes say in the store of the dead letters that they keep, for the time when they are gone.
package struct StoreNotes: Sendable {
  private let store: any CoordinationStore
  private let keys: StoreKeys

  package init(store: any CoordinationStore, namespace: String) {
    self.store = store
    keys = StoreKeys(namespace: namespace)
  }

  /// Says how many letters a node keeps; nothing is said of none.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be told.
  package func note(_ kept: Int, of node: String) async throws(GridError) {
    let key = keys.letters(of: node)
    let note: JSONValue = ["kept": .integer(Int64(kept))]
    _ = try await store.commit(
      StoreTransaction(then: [kept > 0 ? .put(key: key, value: note.serialized(), lease: 0) : .delete(key: key)]))
  }

  /// How many letters each node keeps that has said so and keeps any.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the store cannot be asked.
  package func all() async throws(GridError) -> [(node: String, kept: Int64)] {
    try await store.range(prefix: keys.letters).entries.compactMap { entry in
      guard let note = try? JSONValue(parsing: entry.value), let kept = note["kept"]?.integerValue, kept > 0 else {
        return nil
      }
      return (StoreKeys.name(entry.key, under: keys.letters), kept)
    }
  }
}
