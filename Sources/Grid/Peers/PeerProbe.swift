internal import GridCluster
internal import GridCore
internal import GridLink

/// Looks whether somebody is there at the address under which a node is known.
struct PeerProbe: Sendable {
  private static let patience = Duration.milliseconds(500)

  let node: NodeSelf
  let membership: Membership
  let transport: any Transport

  func presence(of name: String) async -> LinkPresence {
    let found: NodeRecord?
    do throws(GridError) { found = try await membership.lookUp(name) } catch { return .silent }
    guard let record = found else { return .gone }
    guard let address = try? LinkAddress(parsing: record.address) else { return .silent }
    // It is us who listen there now.
    if record.address == node.address { return .gone }
    return await transport.presence(at: address, within: Self.patience)
  }
}
