internal import GridCluster
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A sign of life of a node, for whoever starts it again when there is none.
package struct NodePulse: Sendable {
  package var name: String
  package var namespace: String
  package var address: String
  /// Why it is outside of the cluster; nil while it is a member.
  package var problem: String?
  /// Nodes of the cluster, this one among them.
  package var nodes: Int
  /// Actors on this node.
  package var actors: Int

  package init(name: String, namespace: String, address: String, problem: String?, nodes: Int, actors: Int) {
    self.name = name
    self.namespace = namespace
    self.address = address
    self.problem = problem
    self.nodes = nodes
    self.actors = actors
  }
}

extension GridNode {
  /// Returns once the threads that serve connections have done so, when the lease is being renewed.
  ///
  /// A node that has lost its lease and knows it is alive: it joins again by itself when its store is there, and
  /// nothing is won by starting it again.
  ///
  /// - Returns: nil when what renews the lease stands still: the lease is over, and the node does not know it.
  /// - Throws: ``GridError/Code/unavailable`` when the node has stopped, or what kept it from starting.
  package func pulse() async throws -> NodePulse? {
    let wires = try await running()
    try await wires.ground.surroundings.pulse()
    let (node, membership) = (wires.node, wires.traffic.membership)
    guard membership.isValid(at: wires.timers.now()) || membership.record == nil else { return nil }
    return NodePulse(
      name: node.name, namespace: node.namespace, address: node.address,
      problem: wires.traffic.health.membershipProblem?.description, nodes: membership.peers.count + 1,
      actors: wires.traffic.cells.count())
  }
}
