internal import GridCore

/// Who has joined as which incarnation, and what the others have seen of it: S4 and S5. Pure.
struct MemberLedger {
  /// What one process knows of a peer.
  private struct Sight {
    /// The incarnation that is alive, the newest that was, and the newest that is gone.
    var alive: Int64?
    var newest: Int64 = 0
    var gone: Int64 = 0
    /// How often it was told that the peer has joined.
    var arrivals = 0
  }

  /// By node: the incarnation as which it has joined last, as it believes itself.
  private var incarnations: [String: Int64] = [:]
  /// By node: its incarnations, as the store has had them.
  private var registered: [String: Set<Int64>] = [:]
  /// By the process that looks, by the node that is seen.
  private var sights: [String: [String: Sight]] = [:]

  /// A node joins: each time its incarnation is larger.
  mutating func joins(_ node: String, incarnation: Int64) -> [Breach] {
    let former = incarnations.updateValue(incarnation, forKey: node) ?? 0
    guard incarnation <= former else { return [] }
    return [Breach("S4", "\(node) joined as incarnation \(incarnation) after \(former)")]
  }

  /// The store has a node from now on.
  mutating func registers(_ node: String, incarnation: Int64) {
    registered[node, default: []].insert(incarnation)
  }

  /// A process sees these peers: none is older than it was, and none that was gone is back.
  mutating func sees(_ process: String, _ peers: [NodeRecord]) -> [Breach] {
    var breaches: [Breach] = []
    var view = sights[process] ?? [:]
    for peer in peers {
      var sight = view[peer.name] ?? Sight()
      guard sight.alive != peer.incarnation else { continue }
      if peer.incarnation < sight.newest || peer.incarnation <= sight.gone {
        breaches.append(
          Breach(
            "S4",
            "\(process) sees \(peer.name) as \(peer.incarnation), had seen \(sight.newest), gone is \(sight.gone)"))
      }
      if let alive = sight.alive { sight.gone = max(sight.gone, alive) }
      sight.alive = peer.incarnation
      sight.newest = max(sight.newest, peer.incarnation)
      view[peer.name] = sight
    }
    for (name, sight) in view where sight.alive != nil && !peers.contains(where: { $0.name == name }) {
      view[name]?.gone = max(sight.gone, sight.alive ?? 0)
      view[name]?.alive = nil
    }
    sights[process] = view
    return breaches
  }

  /// A process is told that a peer has joined: not more often than it has, however often the store says so.
  mutating func isTold(_ process: String, ofArrival node: String) -> [Breach] {
    sights[process, default: [:]][node, default: Sight()].arrivals += 1
    let (arrivals, joins) = (sights[process]?[node]?.arrivals ?? 0, registered[node]?.count ?? 0)
    guard arrivals > joins else { return [] }
    return [Breach("S5", "\(process) was told \(arrivals) times that \(node) has joined, which it did \(joins) times")]
  }
}
