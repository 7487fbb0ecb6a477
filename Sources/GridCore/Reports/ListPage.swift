/// One page of a list that may be longer than a frame. Pure.
///
/// Every item has a key; the pages of a list follow one another in the order of the keys. Whoever asks for the next
/// page says which key was the last one.
package struct ListPage: Sendable, Equatable {
  /// An item and what orders it.
  package struct Item: Sendable, Equatable {
    package var key: String
    package var value: JSONValue

    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// Which way the keys go.
  package enum Order: Sendable {
    case ascending, descending

    package func areInOrder(_ left: String, _ right: String) -> Bool {
      self == .ascending ? left < right : left > right
    }
  }

  /// The items of the page, in order.
  package var items: [Item]
  /// The key behind which the next page begins; nil when this one is the last.
  package var next: String?
  /// How many items the whole list has, where that is known.
  package var total: Int?

  /// Bytes of JSON in a page, about: the first item is always in it.
  package static let standardBytes = 1024 * 1024
  /// The most bytes of one item; see ``JSONValue/serialized(within:)``.
  package static let largestItem = 4 * 1024 * 1024

  package init(items: [Item] = [], next: String? = nil, total: Int? = nil) {
    self.items = items
    self.next = next
    self.total = total
  }

  /// The beginning of what is there, as far as it fits.
  ///
  /// - Parameter ordered: items in order, all of them behind the key that was asked for.
  package init(_ ordered: some Sequence<Item>, within bytes: Int, limit: Int = .max, total: Int? = nil) {
    self.init(total: total)
    var room = bytes
    for item in ordered {
      let size = item.value.serializedBytes
      guard items.count < limit, items.isEmpty || size <= room else {
        next = items.last?.key
        return
      }
      room -= size
      items.append(item)
    }
  }

  /// The page that several nodes have together, with each item once.
  ///
  /// What one of them has not told yet may belong before what another one has: so it ends where the first of them ends.
  package static func merged(_ pages: [ListPage], _ order: Order, within bytes: Int, limit: Int = .max) -> ListPage {
    let frontier = pages.compactMap(\.next).min(by: order.areInOrder)
    var known: Set<String> = []
    let items = pages.flatMap(\.items)
      .filter { item in
        guard frontier.map({ !order.areInOrder($0, item.key) }) ?? true else { return false }
        return known.insert(item.key).inserted
      }
      .sorted { order.areInOrder($0.key, $1.key) }
    var page = ListPage(items, within: bytes, limit: limit)
    if page.next == nil { page.next = frontier }
    page.total = pages.reduce(nil) { sum, page in
      page.total.map { total in (sum ?? 0).addingClamped(max(0, total)) } ?? sum
    }
    return page
  }
}
