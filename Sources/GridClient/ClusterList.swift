package import GridCore
package import GridRequests

/// A list of the whole cluster, gathered from its pages. Pure.
package struct ClusterList<Item: ListItem>: Sendable, Equatable {
  /// In the order of the pages, as they came: what is only shown need not be understood.
  package var elements: [JSONValue] = []
  /// The nodes that did not answer, each once.
  package private(set) var missing: [MissingNode] = []
  /// How many items there are with those that were not asked for, where the node says so.
  package private(set) var total: Int?

  /// Whether there are more items than were asked for.
  package private(set) var isCut = false

  package init() {}

  /// The same list with other items.
  package func replacing(_ elements: [JSONValue]) -> ClusterList {
    var list = self
    list.elements = elements
    return list
  }

  /// What the elements say.
  ///
  /// - Throws: ``GridError/Code/undecodable``.
  package func items() throws(GridError) -> [Item] {
    var items: [Item] = []
    items.reserveCapacity(elements.count)
    for element in elements { items.append(try Item(json: element)) }
    return items
  }

  /// Asks for pages until there are no more, or `limit` items.
  ///
  /// - Parameters:
  ///   - pages: no more pages than these.
  ///   - ask: sends the request for one page.
  package static func gathered<Request: ListRequest>(
    _ request: Request, routing: RequestRouting = RequestRouting(), limit: Int = .max, pages: Int = .max,
    _ ask: (RoutedRequest<Request>) async throws(GridError) -> ListAnswer<Item>
  ) async throws(GridError) -> ClusterList where Request.Item == Item {
    var list = ClusterList()
    var routed = RoutedRequest(request, routing: routing)
    for page in 1... {
      if limit != .max { routed.page.limit = max(0, limit - list.elements.count) }
      guard let next = list.add(try await ask(routed)) else { return list }
      guard list.elements.count < limit, page < pages else {
        list.isCut = true
        return list
      }
      routed.page.after = next
      // A node that does not answer holds up one page, not all.
      routed.routing.without = list.missing.map(\.node)
    }
    return list
  }

  /// Takes rows in, as values.
  ///
  /// - Throws: ``GridError/Code/undecodable``.
  package mutating func add(_ page: RowPage) throws(GridError) {
    for row in page.rows { elements.append(try page.json(of: row)) }
  }

  /// All rows have come.
  package mutating func finish(_ end: RowListEnd) {
    (missing, total) = (end.missing, end.total)
    isCut = total.map { $0 > elements.count } ?? false
  }

  /// Takes a page in.
  ///
  /// - Returns: behind what the next page begins; nil after the last.
  private mutating func add(_ page: ListAnswer<Item>) -> String? {
    elements += page.elements
    for node in page.missing where !missing.contains(where: { $0.node == node.node }) { missing.append(node) }
    if total == nil { total = page.total }
    // A page with nothing on it and more to come would be asked for for ever.
    return page.elements.isEmpty ? nil : page.next
  }
}
