internal import GridLink
internal import GridRequests
internal import Synchronization

/// The connections of clients, so that a node that leaves can say so to each of them.
final class ClientLinks: Sendable {
  private struct State {
    var links: [ObjectIdentifier: Link] = [:]
    /// Why there are none any more.
    var farewell: String?
  }

  private let state = Mutex(State())

  func opened(_ link: Link) {
    let farewell = state.withLock { state in
      if state.farewell == nil { state.links[ObjectIdentifier(link)] = link }
      return state.farewell
    }
    // Its greeting was under way when the others were told.
    if let farewell { link.closeGracefully(farewell) }
  }

  func closed(_ link: Link) { state.withLock { $0.links[ObjectIdentifier(link)] = nil } }

  /// Who is there.
  var callers: [Caller] { state.withLock { $0.links.values.map(\.caller) } }

  /// Says goodbye to those whose callers are meant.
  func close(_ reason: String, where isMeant: (Caller) -> Bool) {
    let links = state.withLock { state in state.links.values.filter { isMeant($0.caller) } }
    for link in links { link.closeGracefully(reason) }
  }

  /// Says goodbye to all, behind the answers that they were given, and to those that come later.
  func close(_ reason: String) {
    let links = state.withLock { state in
      state.farewell = reason
      return Array(state.links.values)
    }
    for link in links { link.closeGracefully(reason) }
  }
}
