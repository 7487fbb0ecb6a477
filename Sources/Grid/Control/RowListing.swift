internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests

/// The rows that this node has for a list, page after page, for one task.
protocol OwnRows {
  /// How many there are without the limit of the list.
  var total: Int { get }
  /// Adds rows to the page until it has so many bytes; false when there are no more.
  mutating func fill(_ page: inout RowPageWriter, bytes: Int) -> Bool
}

/// Answers a list over a channel: this node's own rows, merged with those of all others as they come.
///
/// A page of each node waits here, and a window of its channel; a reader that is slow holds all of them up. The work
/// ends with its task: when the reader gives up, the lists of the others are given up too.
struct RowListing<Request: ListRequest>: Sendable {
  /// Bytes of a page, about: it leaves in one part of a channel.
  private static var pageBytes: Int { 30 * 1024 }
  /// The longest that a node is waited for in the midst of its list, whatever the reader would.
  private static var longestPatience: Duration { .seconds(60) }

  private struct Peer: Sendable {
    let name: String
    let rows: ChannelReader
  }

  let node: NodeSelf
  let calls: ClusterCalls
  let request: Request
  let call: RequestCall

  func send(_ own: @Sendable () -> any OwnRows, to writer: ChannelWriter) async throws(GridError) {
    if let named = call.routing.node, named != node.name { return try await relay(named, to: writer) }
    if call.isLocal || call.routing.node != nil { return try await sendOwn(own(), to: writer) }
    let (peers, unreachable) = open()
    // The others put their rows in order meanwhile.
    var rows = own()
    var missing = unreachable
    var merge = RowMerge(sources: peers.count + 1, limit: call.page.mostItems)
    var total = rows.total
    for (index, page) in await firstPages(of: peers) {
      switch page {
      case .success(let page):
        total = total.addingClamped(max(0, page?.total ?? 0))
        if let page { merge.add(page, from: index + 1) } else { merge.end(index + 1) }
      case .failure(let error):
        missing.append(MissingNode(peers[index].name, error))
        merge.end(index + 1)
      }
    }
    var page = RowPageWriter()
    // The reader knows now that it has begun, and how long it will be.
    try await writer.send(page.take(total: total))
    while !merge.isOver {
      for source in merge.wanting.sorted() {
        if source == 0 {
          if let next = Self.nextPage(of: &rows) { merge.add(next, from: 0) } else { merge.end(0) }
          continue
        }
        let peer = peers[source - 1]
        do throws(GridError) {
          if let next = try await Self.nextPage(of: peer) { merge.add(next, from: source) } else { merge.end(source) }
        } catch {
          if Task.isCancelled { throw error }
          missing.append(MissingNode(peer.name, error))
          merge.end(source)
          // The reader has waited for it: it hears that the list goes on.
          try await writer.send(page.take())
        }
      }
      merge.take(into: &page, bytes: Self.pageBytes)
      if page.size >= Self.pageBytes { try await writer.send(page.take()) }
    }
    try await writer.send(page.take(missing: missing + calls.outside))
    await writer.finish()
  }

  /// The rows of this node alone.
  private func sendOwn(_ own: any OwnRows, to writer: ChannelWriter) async throws(GridError) {
    var rows = own
    var page = RowPageWriter()
    try await writer.send(page.take(total: rows.total))
    while true {
      let hasMore = rows.fill(&page, bytes: Self.pageBytes)
      if page.count > 0 { try await writer.send(page.take()) }
      guard hasMore else { break }
    }
    await writer.finish()
  }

  /// The rows of one other node, as they come.
  private func relay(_ name: String, to writer: ChannelWriter) async throws(GridError) {
    let rows = try calls.open(request, on: name, call, patience: patience)
    while let page = try await rows.next() { try await writer.send(page) }
    await writer.finish()
  }

  private var timers: any Timers { calls.timers }

  // MARK: Others

  /// Between two pages; a little less than the reader waits, so that it hears who did not go on.
  private var patience: Duration { min(Self.longestPatience, (call.deadline - timers.now()) / 10 * 9) }

  private func open() -> (peers: [Peer], missing: [MissingNode]) {
    var peers: [Peer] = []
    var missing: [MissingNode] = []
    for peer in calls.asked(call) {
      do throws(GridError) {
        peers.append(Peer(name: peer.name, rows: try calls.open(request, on: peer.name, call, patience: patience)))
      } catch {
        missing.append(MissingNode(peer.name, error))
      }
    }
    return (peers, missing)
  }

  /// What each peer says first, which it does before it puts anything in order: one that does not is not waited for
  /// any longer than for any other answer.
  private func firstPages(of peers: [Peer]) async -> [(index: Int, page: Result<RowPage?, GridError>)] {
    let limit = min(calls.timeToSay(call.deadline), timers.now() + ClusterCalls.gatherPatience)
    return await withTaskGroup(of: (index: Int, page: Result<RowPage?, GridError>).self) { group in
      for (index, peer) in peers.enumerated() {
        group.addTask { [timers] in
          do throws(GridError) {
            let page = try await timers.withLimit(limit - timers.now()) { () async throws(GridError) -> RowPage? in
              try await Self.nextPage(of: peer)
            }
            guard let page else { throw GridError(.deadline, "\(Request.verb) did not answer in time") }
            return (index, .success(page))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.index < $1.index }
    }
  }

  private static func nextPage(of peer: Peer) async throws(GridError) -> RowPage? {
    guard let bytes = try await peer.rows.next() else { return nil }
    let page = try RowPage(parsing: bytes)
    guard page.next == nil else {
      throw GridError(.protocolMismatch, "it is of an older version, and does not tell long lists")
    }
    return page
  }

  /// Nil when there are no more.
  private static func nextPage(of own: inout any OwnRows) -> RowPage? {
    var page = RowPageWriter()
    _ = own.fill(&page, bytes: pageBytes)
    return page.count > 0 ? try? RowPage(parsing: page.take()) : nil
  }
}
