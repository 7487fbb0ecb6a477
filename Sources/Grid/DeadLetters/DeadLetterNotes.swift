internal import GridCluster
internal import GridCore
internal import GridRequests
internal import Logging

/// What nodes say in the store of the dead letters that they keep, for the time when they are gone and their files lie
/// on a machine where nobody can read them.
///
/// Written when a node starts, when it has its first letter, and when it leaves: seldom, so the number of one that was
/// killed is an old one.
struct DeadLetterNotes: Sendable {
  /// Nil where the nodes have all files beside each other.
  let notes: StoreNotes?
  let node: NodeSelf
  let membership: Membership
  let letters: DeadLetterOffice
  let logger: Logger

  /// Brings this node's note up to date. What fails is tried again at the next occasion.
  func write() async {
    guard let notes, let counts = try? await letters.log().counts() else { return }
    do throws(GridError) {
      try await notes.note(counts.kept, of: node.name)
    } catch {
      logger.debug("the number of dead letters is not noted", metadata: ["error": "\(error)"])
    }
  }

  /// The nodes that are gone and keep letters which nobody who is left can read, with how many they had.
  func outOfReach(butFor readable: Set<String>) async -> [DeadLetterTally] {
    guard let notes, let all = try? await notes.all() else { return [] }
    let present = readable.union(membership.peers.map(\.name)).union([node.name])
    return all.filter { !present.contains($0.node) }
      .map { DeadLetterTally(outOfReach: $0.node, kept: Int(clamping: $0.kept)) }
  }
}
