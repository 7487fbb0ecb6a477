/// Which nodes are there, seen from one of them. Every method may be called from any task at once.
package protocol MemberView: Sendable {
  /// This node's record, nil while it is no member.
  var record: NodeRecord? { get }

  /// The other nodes as last heard of, sorted by name.
  var peers: [NodeRecord] { get }

  /// Another node as last heard of.
  func peer(_ name: String) -> NodeRecord?

  /// The record of a node as it is now, or nil.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when it cannot be asked for.
  func lookUp(_ name: String) async throws(GridError) -> NodeRecord?
}

/// What a view of the members tells of.
package enum MemberChange: Sendable, Equatable {
  /// A peer appeared, or was replaced by a newer incarnation.
  case joined(NodeRecord)
  case left(NodeRecord)
}
