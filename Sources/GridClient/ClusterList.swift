package import GridCore

/// A list of the whole cluster, gathered from its pages. Pure.
package struct ClusterList: Sendable, Equatable {
  /// In the order of the pages.
  package private(set) var items: [JSONValue] = []
  /// The nodes that did not answer, each once.
  package private(set) var missing: [JSONValue] = []
  /// How many items there are with those that were not asked for, where the node says so.
  package private(set) var total: Int?

  /// Whether there are more items than were asked for.
  package private(set) var isCut = false

  package init() {}

  /// The same list with other items.
  package func replacing(_ items: [JSONValue]) -> ClusterList {
    var list = self
    list.items = items
    return list
  }

  /// Asks for pages until there are no more, or `limit` items.
  ///
  /// - Parameter ask: sends the request for one page.
  package static func gathered(
    _ arguments: JSONValue, limit: Int = .max, _ ask: (JSONValue) async throws(GridError) -> JSONValue
  ) async throws(GridError) -> ClusterList {
    var list = ClusterList()
    var arguments = arguments
    while true {
      if limit != .max { arguments = arguments.with("limit", .integer(Int64(max(0, limit - list.items.count)))) }
      guard let next = list.add(try await ask(arguments)) else { return list }
      guard list.items.count < limit else {
        list.isCut = true
        return list
      }
      arguments = arguments.with("after", .string(next))
      // A node that does not answer holds up one page, not all.
      if !list.missing.isEmpty { arguments = arguments.with("without", .array(list.missing.compactMap { $0["node"] })) }
    }
  }

  /// Takes a page in.
  ///
  /// - Returns: behind what the next page begins; nil after the last.
  private mutating func add(_ page: JSONValue) -> String? {
    let items = page["items"]?.arrayValue ?? []
    self.items += items
    for node in page["missing"]?.arrayValue ?? []
    where !missing.contains(where: { $0["node"] == node["node"] }) {
      missing.append(node)
    }
    if total == nil { total = page["total"]?.integerValue.map { Int(clamping: $0) } }
    // A page with nothing on it and more to come would be asked for for ever.
    return items.isEmpty ? nil : page["next"]?.stringValue
  }
}
