internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Finds the busiest actors, each node among its own.
struct TopDesk: Sendable {
  /// What was handled before the window began, of those that had handled something. It holds the cells, so that no
  /// other is taken for one that went meanwhile.
  private typealias Counts = [ObjectIdentifier: (cell: ActorCell, processed: Int)]

  private static let longestWindow = Duration.seconds(3600)

  let node: NodeSelf
  let cells: CellTable
  let calls: ClusterCalls
  let timers: any Timers

  func top(_ request: ActorTopRequest, _ call: RequestCall) async -> ActorTop {
    if call.isLocal { return await ownTop(request) }
    // All of them watch the same window.
    async let own = ownTop(request)
    let gathered = await calls.gather(request, call, work: min(request.window, Self.longestWindow))
    var top = await own
    for (_, answer, _) in gathered.answers { top.add(answer) }
    top.missing += gathered.missing
    top.sort(by: request.order, limit: request.limit)
    return top
  }

  private func ownTop(_ request: ActorTopRequest) async -> ActorTop {
    guard request.window > .zero else { return pick(request, before: nil, seconds: 0) }
    let before = counts(request)
    let began = timers.now()
    await timers.sleep(for: min(request.window, Self.longestWindow))
    return pick(request, before: before, seconds: (timers.now() - began).inSeconds)
  }

  private func counts(_ request: ActorTopRequest) -> Counts {
    var counts: Counts = [:]
    ActorChoice(request.actors).forEach(in: cells) { _, cell in
      let processed = cell.tally.processed
      if processed > 0 { counts[ObjectIdentifier(cell)] = (cell, processed) }
    }
    return counts
  }

  private struct Candidate {
    var cell: ActorCell
    var name: String
    var weight: Double
    var perSecond: Double?
  }

  /// Reports are made of those alone that are told.
  private func pick(_ request: ActorTopRequest, before: Counts?, seconds: Double) -> ActorTop {
    let (now, filter, isOpen) = (timers.now(), ActorFilter(request.filter), request.filter.isEmpty)
    var top = ActorTop()
    var selection = BoundedSelection<Candidate>(limit: request.limit) { left, right in
      ActorOrder.isBefore((left.weight, left.name), (right.weight, right.name))
    }
    ActorChoice(request.actors).forEach(in: cells) { name, cell in
      let tally = cell.tally
      var candidate = Candidate(cell: cell, name: name, weight: 0)
      if let before, seconds > 0 {
        let handled = tally.processed - (before[ObjectIdentifier(cell)]?.processed ?? 0)
        candidate.perSecond = Double(max(0, handled)) / seconds
        top.perSecond = (top.perSecond ?? 0) + (candidate.perSecond ?? 0)
      }
      top.actors += 1
      top.mailbox += Int64(tally.mailbox)
      guard isOpen || filter.matches(name: name, kind: cell.kindName, node: node.name) else { return }
      top.matching += 1
      candidate.weight = weight(of: candidate, tally, by: request.order, now)
      selection.offer(candidate)
    }
    if before != nil { top.perSecond = top.perSecond ?? 0 }
    top.rows = selection.take().map { ActorTop.row($0.cell.report(at: now, withDetails: false), $0.perSecond) }
    return top
  }

  private func weight(
    of candidate: Candidate, _ tally: ActorCell.Tally, by order: ActorOrder, _ now: MonotonicTime
  ) -> Double {
    switch order {
    case .mailbox: return Double(tally.mailbox)
    case .rate: return candidate.perSecond ?? 0
    case .time:
      let latency = candidate.cell.latency(at: now)
      return max(latency.inHandSeconds ?? 0, latency.handlerP99Seconds ?? 0)
    case .failures: return Double(tally.failures)
    case .restarts: return Double(tally.restarts)
    case .name: return 0
    }
  }
}
