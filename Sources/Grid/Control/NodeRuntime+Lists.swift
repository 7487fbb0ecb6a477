internal import GridCluster
internal import GridCore

/// How a list that may be longer than a frame is asked for: `after` (behind what the page begins), `limit`, and between
/// nodes `pageBytes` and `local`.
struct ListRequest: Sendable {
  let arguments: JSONValue
  let order: ListPage.Order

  init(_ arguments: JSONValue, _ order: ListPage.Order = .ascending) {
    self.arguments = arguments
    self.order = order
  }

  var after: String? { arguments["after"]?.stringValue }

  /// Items wanted, on all pages that are still to come.
  var limit: Int { arguments["limit"]?.integerValue.map { Int(clamping: max(0, $0)) } ?? .max }

  var bytes: Int {
    let asked = arguments["pageBytes"]?.integerValue.map { Int(clamping: $0) } ?? ListPage.standardBytes
    return max(1, min(asked, ListPage.standardBytes))
  }

  /// Whether an item of that key may be on the page.
  func wants(_ key: String) -> Bool { after.map { order.areInOrder($0, key) } ?? true }

  /// The page of items in any order.
  func page(_ items: [ListPage.Item]) -> ListPage {
    let wanted = items.filter { wants($0.key) }.sorted { order.areInOrder($0.key, $1.key) }
    return ListPage(wanted, within: bytes, limit: limit, total: items.count)
  }
}

extension NodeRuntime {
  /// A share of a page that is worth a round trip.
  private static let leastShare = 64 * 1024

  /// The page that this node and, unless only its own part was asked for, all others have together.
  ///
  /// - Parameters:
  ///   - own: what is here; several pages where there are several sources.
  ///   - key: the key of an item that another node has sent.
  func gatherPage(
    _ verb: String, _ request: ListRequest, own: [ListPage], missing unread: [JSONValue] = [],
    key: (JSONValue) -> String, deadline: MonotonicTime
  ) async -> JSONValue {
    var (pages, missing) = (own, unread)
    if !request.arguments.isLocal {
      let share = max(Self.leastShare, request.bytes / (membership.peers.count + 1))
      let (answers, silent) = await gather(
        verb, request.arguments.with("pageBytes", .integer(Int64(share))), deadline: deadline)
      pages += answers.map { ListPage(json: $0.answer, key: key) }
      missing += silent
    }
    return ListPage.merged(pages, request.order, within: request.bytes, limit: request.limit).json(missing: missing)
  }

  /// A list of which this node knows the whole.
  func wholeList(
    _ items: [JSONValue], _ arguments: JSONValue, key: (JSONValue) -> String, missing: [JSONValue] = []
  ) -> JSONValue {
    ListRequest(arguments).page(items.map { ListPage.Item(key: key($0), value: $0) }).json(missing: missing)
  }

  /// A node that a list lacks.
  static func missing(_ node: String, _ error: GridError) -> JSONValue {
    ["node": .string(node), "code": .string(error.code.label), "message": .string(error.message)]
  }

  static func name(of item: JSONValue) -> String { item["name"]?.stringValue ?? "" }
}

extension JSONValue {
  /// Whether the asker does without a node, since it knows that it does not answer.
  func leavesOut(_ node: String) -> Bool { self["without"]?.arrayValue?.contains(.string(node)) ?? false }
}

extension ListPage {
  /// - Parameter key: the key of an item.
  init(json: JSONValue, key: (JSONValue) -> String) {
    self.init(
      items: (json["items"]?.arrayValue ?? []).map { Item(key: key($0), value: $0) }, next: json["next"]?.stringValue,
      total: json["total"]?.integerValue.map { Int(clamping: $0) })
  }

  /// The answer: `items`, `missing`, and where they say something `next` and `total`.
  func json(missing: [JSONValue]) -> JSONValue {
    var members: [String: JSONValue] = ["items": .array(items.map(\.value)), "missing": .array(missing)]
    members["next"] = next.map { .string($0) }
    members["total"] = total.map { .integer(Int64($0)) }
    return .object(members)
  }
}
