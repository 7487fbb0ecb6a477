package import GridCore

/// How a request is to travel, beside what it asks: the same members in each.
package struct RequestRouting: FieldCoded, Equatable {
  /// The node that is to carry it out, when it is not the one that is asked.
  package var node: String?
  /// One node asks another: it is carried out there, and goes no further.
  package var isLocal = false
  /// Nodes that have not answered before, and are not asked again for the next page.
  package var without: [String] = []
  /// On whose behalf one node asks another.
  package var caller: Caller?

  package init() {}

  package init(node: String?) { self.node = node }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("node", &node)
    try fields.flag("local", &isLocal)
    try fields.list("without", &without)
    try fields.optionalObject("caller", &caller)
  }

  /// The arguments of a request with this way of travelling instead of theirs.
  package func json(over arguments: JSONValue) -> JSONValue {
    var merged = arguments.without("node")
    for (name, value) in json.objectValue ?? [:] { merged = merged.with(name, value) }
    return merged
  }

  /// As one node passes it on to another.
  package func forwarded(for caller: Caller) -> RequestRouting {
    var routing = self
    routing.node = nil
    routing.isLocal = true
    routing.caller = caller
    return routing
  }
}

/// Which part of a list is wanted.
package struct PageRequest: FieldCoded, Equatable {
  /// The key of the last item that is known already.
  package var after: String?
  /// No more items than this.
  package var limit: Int?
  /// No more bytes than this, at least one item.
  package var bytes: Int?

  package init() {}

  package init(after: String? = nil, limit: Int? = nil) {
    self.after = after
    self.limit = limit
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.optional("after", &after)
    try fields.optional("limit", &limit)
    try fields.optional("pageBytes", &bytes)
    if fields.isReading {
      limit = limit.map { max(0, $0) }
      bytes = bytes.map { max(1, min($0, ListPage.standardBytes)) }
    }
  }

  package var mostItems: Int { limit ?? .max }
  package var mostBytes: Int { bytes ?? ListPage.standardBytes }

  package func wants(_ key: String, _ order: ListPage.Order) -> Bool { after.map { order.areInOrder($0, key) } ?? true }

  /// The page of `items`, which are all there are.
  package func page(_ items: [ListPage.Item], _ order: ListPage.Order) -> ListPage {
    let wanted = items.filter { wants($0.key, order) }.sorted { order.areInOrder($0.key, $1.key) }
    return ListPage(wanted, within: mostBytes, limit: mostItems, total: items.count)
  }

  package func page<Item: ListItem>(_ items: [Item], _ order: ListPage.Order = .ascending) -> ListPage {
    page(items.map { ListPage.Item($0) }, order)
  }
}

extension ListPage.Item {
  package init(_ item: some ListItem) {
    let json = item.json
    self.init(key: type(of: item).key(of: json), value: json)
  }
}

/// What travels: a request, how it is to travel, and which page of the answer is wanted.
package struct RoutedRequest<Request: NodeRequest>: FieldCoded {
  package var request = Request()
  package var routing = RequestRouting()
  package var page = PageRequest()

  package init() {}

  package init(_ request: Request, routing: RequestRouting = RequestRouting(), page: PageRequest = PageRequest()) {
    self.request = request
    self.routing = routing
    self.page = page
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.inline(&routing)
    if Request.self is any ListRequest.Type { try fields.inline(&page) }
    try fields.inline(&request)
  }
}
