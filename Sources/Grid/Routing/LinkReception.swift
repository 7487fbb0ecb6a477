internal import GridCore
internal import GridLink
internal import GridRequests

/// Hands what comes over links to whom it concerns.
final class LinkReception: LinkReceiver {
  private let cells: CellTable
  private let router: Router
  private let peers: PeerTable
  private let clients: ClientLinks
  private let tokens: TokenWarden
  private let control: ControlService
  private let audit: AuditTrail
  private let work: BackgroundWork
  private let touched = TouchedCells()

  init(
    cells: CellTable, router: Router, peers: PeerTable, clients: ClientLinks, tokens: TokenWarden,
    control: ControlService, audit: AuditTrail, work: BackgroundWork
  ) {
    self.audit = audit
    self.work = work
    self.cells = cells
    self.router = router
    self.peers = peers
    self.clients = clients
    self.tokens = tokens
    self.control = control
  }

  func opened(_ link: Link) {
    guard link.remote.role == .node else {
      clients.opened(link)
      return tokens.opened(link)
    }
    peers.opened(link)
    control.peerOpened(link)
  }

  func received(_ envelopes: inout EnvelopeQueue, on link: Link) {
    if let objection = link.caller.objection(to: "a message", needing: .operator) {
      return refuse(&envelopes, objection, on: link)
    }
    while let target = envelopes.first?.target {
      let count = envelopes.firstRun
      if let cell = cells[target] {
        if cell.enqueue(&envelopes, count: count) { touched.add(cell) }
      } else {
        let isFromNode = link.remote.role == .node
        if isFromNode { router.tellMoved(target, to: link) }
        for _ in 0..<count {
          if let envelope = envelopes.popFirst() { router.receivedForElsewhere(envelope, fromNode: isFromNode) }
        }
      }
    }
  }

  /// Who may look only gives actors nothing to do. These become no dead letters, which others have to read.
  private func refuse(_ envelopes: inout EnvelopeQueue, _ error: GridError, on link: Link) {
    let target = String(envelopes.first?.target.prefix(NameRules.maximumLength) ?? "")
    var count: Int64 = 0
    while let envelope = envelopes.popFirst() {
      envelope.resolve(.failure(error))
      count += 1
    }
    let subject: JSONValue = ["target": .string(target), "count": .integer(count)]
    let (audit, caller) = (audit, link.caller)
    work.add({ audit.denied("message", subject, caller, error) }, refused: { _ in })
  }

  func readCompleted(_ link: Link) { touched.runAll() }

  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {
    control.received(request, deadline: deadline, on: link)
  }

  func received(_ signal: LinkSignal, on link: Link) {
    guard link.remote.role == .node, case .moved(let address, let location) = signal else { return }
    router.heard(of: address, at: location, from: link.remote.name)
  }

  func cancelled(_ correlation: UInt64, on link: Link) { control.cancelled(correlation, on: link) }

  func undeliverable(_ envelope: Envelope, _ error: GridError) { router.undeliverable(envelope, error) }

  func closed(_ link: Link, _ error: GridError) {
    control.linkClosed(link)
    guard link.remote.role == .node else { return clients.closed(link) }
    peers.closed(link, error)
  }
}
