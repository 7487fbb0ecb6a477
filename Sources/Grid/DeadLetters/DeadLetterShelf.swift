internal import GridCluster
internal import GridCore
internal import GridRequests

/// The logs of dead letters that a node can read: its own, and those that nodes which are gone have left beside it.
struct DeadLetterShelf: Sendable {
  let node: NodeSelf
  let membership: Membership
  let letters: DeadLetterOffice
  let files: DeadLetterFiles

  private var goneNodes: [String] {
    files.abandoned(butFor: Set(membership.peers.map(\.name) + [node.name]))
  }

  /// This node's log, then those of nodes that are gone.
  ///
  /// - Returns: the nodes whose files cannot be read: they hide nobody else's letters, and are named.
  func withEachLog(
    without: [String], _ body: (String, any DeadLetterLog) async throws -> Void
  ) async throws -> [MissingNode] {
    try await body(node.name, try letters.log())
    var missing: [MissingNode] = []
    for name in goneNodes where !without.contains(name) {
      do {
        try await files.withLog(of: name) { try await body(name, $0) }
      } catch {
        missing.append(
          MissingNode(name, GridError.wrapping(error, as: .inputOutput, "the dead letters of \(name) cannot be read")))
      }
    }
    return missing
  }

  func withLog<Value>(
    of name: String, _ body: (any DeadLetterLog) async throws -> Value
  ) async throws -> Value {
    if name == node.name { return try await body(try letters.log()) }
    return try await files.withLog(of: name, body)
  }

  /// A letter that this node can read, and whose log it is in.
  func find(_ identifier: String) async throws -> (holder: String, letter: DeadLetter)? {
    if let letter = try await letters.log().letter(identifier) { return (node.name, letter) }
    for name in goneNodes {
      if let letter = try await files.withLog(of: name, { try await $0.letter(identifier) }) { return (name, letter) }
    }
    return nil
  }
}
