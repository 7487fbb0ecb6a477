internal import GridCluster
internal import GridCore

/// Hears who leads, and ends what this node has lost.
struct LeaderNews: Sendable {
  let office: LeaderOffice
  let events: EventLog
  let node: NodeSelf

  func changed(_ change: ClaimChange<LeaderRecord>) {
    if let own = office[change.name], own.token != change.claim?.token, own.token < change.revision {
      office.remove(own, GridError(.leaseLost, "the leadership of \(change.name) is gone from the store"))
    }
    let fact: GridEvent.Fact =
      change.claim.map { .leaderElected(node: $0.holder.node, token: $0.token) } ?? .leaderLost
    events.record(fact, change.name, node: node.name)
  }
}
