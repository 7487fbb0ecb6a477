internal import GridActors
public import GridCore
internal import GridLink

/// A way for many messages to one actor, in order: remembers where the actor lives, and keeps memory flat by
/// suspending while its mailbox or the window to its node is full.
///
/// Made by ``GridNode/openStream(to:)``; belongs to one task.
public struct MessageStream: Sendable {
  private enum Route {
    case unknown
    case local(ActorCell)
    case remote(Link)
  }

  private let router: Router
  private let cells: CellTable
  private let target: String
  private let sender: String
  private var route = Route.unknown

  init(router: Router, cells: CellTable, target: String, sender: String) {
    self.router = router
    self.cells = cells
    self.target = target
    self.sender = sender
  }

  /// Sends a message; returns when it has left, or is in the mailbox of an actor of this node. What fails later becomes
  /// a dead letter.
  ///
  /// - Throws: ``GridError/Code/noSuchActor``, ``GridError/Code/stopped`` and the like when it cannot leave.
  public mutating func send(_ message: Message) async throws(GridError) {
    switch route {
    case .local(let cell):
      if let wakes = cell.offer(Envelope(target: target, message: message, sender: sender)) {
        if wakes { cell.run(.pool) }
        return
      }
    case .remote(let link):
      let envelope = Envelope(target: target, message: message, sender: sender, waitsForRoom: true)
      while true {
        switch link.attempt(envelope) {
        case .sent: return
        case .wait: try await link.windowOpens(for: target)
        case .refused(let error): throw error
        case .closed: break
        }
        if link.isClosed { break }
      }
    case .unknown: break
    }
    try await sendFirst(message)
  }

  /// Finds the way anew, and sends by it with the assurance that the message arrived.
  private mutating func sendFirst(_ message: Message) async throws(GridError) {
    let envelope = Envelope(target: target, message: message, sender: sender, waitsForRoom: true)
    _ = try await router.send(envelope, .acceptance, timeout: .seconds(3600))
    route = .unknown
    if let cell = cells[target] {
      route = .local(cell)
    } else if let link = router.link(to: target) {
      route = .remote(link)
    }
  }
}
