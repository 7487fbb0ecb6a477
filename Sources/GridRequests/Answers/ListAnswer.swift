package import GridCore

/// A node that has not answered what all were asked.
package struct MissingNode: FieldCoded, Equatable {
  package var node = ""
  package var code = ""
  package var message = ""

  package init() {}

  package init(_ node: String, _ error: GridError) {
    self.node = node
    code = error.code.label
    message = error.message
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("node", &node)
    try fields.value("code", &code)
    try fields.value("message", &message)
  }
}

/// One page of a list.
///
/// Items stay JSON until somebody looks into them: those of a million actors pass a node and a client unread.
package struct ListAnswer<Item: ListItem>: FieldCoded, Equatable {
  package var elements: [JSONValue] = []
  package var missing: [MissingNode] = []
  /// The key after which the next page begins.
  package var next: String?
  /// How many there are on all pages.
  package var total: Int?

  package init() {}

  package init(_ page: ListPage, missing: [MissingNode] = []) {
    elements = page.items.map(\.value)
    next = page.next
    total = page.total
    self.missing = missing
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("items", &elements)
    try fields.objects("missing", &missing)
    try fields.optional("next", &next)
    try fields.optional("total", &total)
  }

  package func items() throws(GridError) -> [Item] {
    var items: [Item] = []
    items.reserveCapacity(elements.count)
    for element in elements { items.append(try Item(json: element)) }
    return items
  }

  /// Their keys beside them, to be merged with other pages.
  package var page: ListPage {
    ListPage(
      items: elements.map { ListPage.Item(key: Item.key(of: $0), value: $0) }, next: next, total: total)
  }
}
