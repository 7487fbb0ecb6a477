internal import GridActors
internal import GridCluster
package import GridCore

/// What somebody outside of a running node can see of it at any moment, without asking it: nothing waits, and nothing
/// of the node notices.
package struct NodeInspection: Sendable {
  private let membership: Membership
  private let deadlines: DeadlineList

  init(_ wires: NodeWires) {
    membership = wires.traffic.membership
    deadlines = wires.traffic.deadlines
  }

  /// The other nodes, as this one sees them; sorted by name.
  package var peers: [NodeRecord] { membership.peers }

  /// Raised whenever ``peers`` may have changed.
  package var peersVersion: Int { membership.peersVersion }

  /// How many asks of this node wait for an answer.
  package var waitingAsks: Int { deadlines.waiting }
}

extension GridNode {
  /// What can be seen of it; nil while it does not run.
  package var inspection: NodeInspection? { wiresIfRunning.map { NodeInspection($0) } }
}
