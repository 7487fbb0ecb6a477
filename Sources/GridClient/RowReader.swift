package import GridCore
internal import GridLink
package import GridRequests

/// The rows of a list of the cluster, page after page, as they come: for one task.
///
/// However long the list is, little of it waits here; the node goes on as pages are taken. It is given up with the last
/// reference to its reader.
package final class RowReader: Sendable {
  private let channel: ChannelReader

  init(_ channel: ChannelReader) { self.channel = channel }

  /// The next page, nil after the last.
  ///
  /// - Throws: the node's own failure; ``GridError/Code/nodeLost`` or ``GridError/Code/notServing`` with the node;
  ///   ``GridError/Code/deadline`` when no page came in time; ``GridError/Code/undecodable``.
  package func next() async throws(GridError) -> RowPage? {
    guard let bytes = try await channel.next() else { return nil }
    return try RowPage(parsing: bytes)
  }
}

/// What is known of a list of rows once they have all come.
package struct RowListEnd: Sendable, Equatable {
  package var count = 0
  /// How many there are without the limit, where the node says so.
  package var total: Int?
  /// The nodes that did not tell theirs, each once.
  package var missing: [MissingNode] = []
  /// Behind what it goes on: after the last row, as long as there are more.
  package private(set) var position: String?

  package init() {}

  /// Takes a page in; false when the node has more and must be asked for it.
  mutating func take(_ page: RowPage) -> Bool {
    count += page.rows.count
    // A list that goes on at another node behind the last row is no longer for it.
    if total == nil { total = page.total }
    for node in page.missing where !missing.contains(where: { $0.node == node.node }) { missing.append(node) }
    position = page.next ?? page.lastKey ?? position
    return page.next == nil || page.rows.isEmpty
  }
}

extension NodeConnection {
  /// Asks for a list whose rows come over a channel.
  ///
  /// - Parameter timeout: how long the node may take for each page.
  package func rows<Request: ListRequest>(_ routed: RoutedRequest<Request>, timeout: Duration) -> RowReader {
    RowReader(channel(Request.verb, routed.json, patience: timeout))
  }

  /// The rows of such a list as they came, up to `limit`.
  func rowList<Request: ListRequest>(
    _ request: Request, routing: RequestRouting, limit: Int, timeout: Duration
  ) async throws(GridError) -> ClusterList<Request.Item> {
    var (list, end) = (ClusterList<Request.Item>(), RowListEnd())
    var routed = RoutedRequest(request, routing: routing)
    while true {
      routed.page = PageRequest(after: end.position, limit: limit == .max ? nil : max(0, limit - end.count))
      let reader = rows(routed, timeout: timeout)
      var isWhole = true
      while let page = try await reader.next() {
        try list.add(page)
        isWhole = end.take(page)
      }
      if isWhole || end.count >= limit { break }
      routed.routing.without = end.missing.map(\.node)
    }
    list.finish(end)
    return list
  }
}

extension ClusterClient {
  /// Reads a list whose rows come over a channel, and goes on at another node where the one that is asked goes: behind
  /// the last row that came, so that each comes once.
  ///
  /// - Parameters:
  ///   - limit: rows wanted.
  ///   - timeout: how long each page may take.
  ///   - moved: told when it goes on at another node.
  ///   - each: takes a page; what it throws ends the list.
  package func rows<Request: ListRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), limit: Int = .max, timeout: Duration,
    moved: (_ from: String, _ to: String) -> Void = { _, _ in }, each: (RowPage) throws(GridError) -> Void
  ) async throws(GridError) -> RowListEnd {
    var end = RowListEnd()
    var tried: Set<String> = []
    var routed = RoutedRequest(request, routing: routing)
    while true {
      let asked = try await connection(timeout: timeout)
      routed.page = PageRequest(after: end.position, limit: limit == .max ? nil : max(0, limit - end.count))
      // A node that does not answer holds up one page, not all.
      routed.routing.without = end.missing.map(\.node)
      do throws(GridError) {
        let reader = asked.rows(routed, timeout: timeout)
        var isWhole = true
        while let page = try await reader.next() {
          try each(page)
          isWhole = end.take(page)
        }
        if isWhole || end.count >= limit { return end }
      } catch {
        guard Succession(error, request.effect, isLost: asked.isClosed) == .another else { throw error }
        tried.insert(asked.endpoint)
        let deadline = timers.now() + timeout
        guard let next = try await successor(of: asked, notAt: &tried, until: deadline) else { throw error }
        moved(asked.nodeName, next.nodeName)
        replace(with: next)
      }
    }
  }

  /// The rows of such a list as they came, up to `limit`.
  package func rowList<Request: ListRequest>(
    _ request: Request, routing: RequestRouting, limit: Int, timeout: Duration,
    moved: (_ from: String, _ to: String) -> Void = { _, _ in }
  ) async throws(GridError) -> ClusterList<Request.Item> {
    var list = ClusterList<Request.Item>()
    let end = try await rows(request, routing: routing, limit: limit, timeout: timeout, moved: moved) {
      page throws(GridError) in try list.add(page)
    }
    list.finish(end)
    return list
  }
}
