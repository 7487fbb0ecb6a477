internal import GridCluster
internal import GridCore
internal import Logging

/// What nodes say in the store of the dead letters that they keep, for the time when they are gone and their files lie
/// on a machine where nobody can read them.
///
/// Written when a node starts, when it has its first letter, and when it leaves: seldom, so the number of one that was
/// killed is an old one.
extension NodeRuntime {
  /// The nodes of an embedded store have all files beside each other.
  private var needsNotes: Bool { configuration.store != nil || configuration.coordination != "embedded" }

  private var keys: StoreKeys { StoreKeys(namespace: namespace) }

  /// Brings this node's note up to date. What fails is tried again at the next occasion.
  func noteLetters() async {
    guard needsNotes, let counts = try? await deadLetterOffice.log().counts() else { return }
    let key = keys.letters(of: nodeName)
    let note: JSONValue = ["kept": .integer(Int64(counts.kept))]
    do {
      _ = try await store.commit(
        StoreTransaction(
          then: [counts.kept > 0 ? .put(key: key, value: note.serialized(), lease: 0) : .delete(key: key)]))
    } catch {
      logger.debug("the number of dead letters is not noted", metadata: ["error": "\(error)"])
    }
  }

  /// The nodes that are gone and keep letters which nobody who is left can read, with how many they had.
  func lettersOutOfReach(butFor readable: Set<String>) async -> [(node: String, kept: Int64)] {
    guard needsNotes, let notes = try? await store.range(prefix: keys.letters) else { return [] }
    let present = readable.union(membership.peers.map(\.name)).union([nodeName])
    return notes.entries.compactMap { entry in
      let node = keys.name(entry.key, under: keys.letters)
      guard !present.contains(node), let note = try? JSONValue(parsing: entry.value),
        let kept = note["kept"]?.integerValue, kept > 0
      else { return nil }
      return (node, kept)
    }
  }
}
