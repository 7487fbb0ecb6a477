package import GridCore

/// Whom a request concerns.
package enum RequestScope: Sendable {
  /// The node that was asked, or the one that the request names.
  case node
  /// The node that holds the address that the request names.
  case holder
  /// Every node of the cluster: the node that was asked gathers the answers.
  case everyNode
  /// The cluster as a whole: every node knows the answer.
  case cluster
}

/// Something that can be asked of a cluster itself, as a type; its messages are not among these.
package protocol NodeRequest: FieldCoded {
  associatedtype Answer: JSONCoded

  /// Its name on the wire, in logs and in errors.
  static var verb: String { get }
  static var scope: RequestScope { get }
  /// The least role that may ask for it.
  static var role: Role { get }
  /// What another node may be asked when the answer does not come.
  var effect: RequestEffect { get }
  /// Why a caller who has the role may not ask for this very thing of this very node; nil when it may.
  func objection(to caller: Caller, _ rules: AccessRules) -> GridError?
  /// Whether it is written into the audit log before it is carried out: everything that changes something is.
  static var isAudited: Bool { get }
  /// What of it stands there: what it is about, never bodies, arguments of programs or secrets.
  var auditSubject: JSONValue { get }
  /// Whether the message of its failure stands there too, which may tell of what was given.
  static var auditsMessages: Bool { get }
}

extension NodeRequest {
  package static var isAudited: Bool { role >= .operator }

  package var auditSubject: JSONValue { json }

  package static var auditsMessages: Bool { true }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? { nil }

  package mutating func code(_ fields: inout Fields) throws(GridError) {}
}

/// A request about one thing that is known by a name.
package protocol NamedRequest: NodeRequest {
  var name: String { get set }
}

extension NamedRequest {
  package init(_ name: String) {
    self.init()
    self.name = name
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.required("name", &name) }
}

/// A request about one dead letter.
package protocol IdentifiedRequest: NodeRequest {
  var identifier: String { get set }
}

extension IdentifiedRequest {
  package init(_ identifier: String) {
    self.init()
    self.identifier = identifier
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.required("id", &identifier) }
}

/// A request whose answer is a list, in pages: what one node has for it, or what all have.
package protocol ListRequest: NodeRequest where Answer == ListAnswer<Item> {
  associatedtype Item: ListItem

  static var order: ListPage.Order { get }
  /// Whether it may be longer than anybody holds: its rows come over a channel, ascending by `name` and `node`.
  static var isStreamed: Bool { get }
}

extension ListRequest {
  package static var order: ListPage.Order { .ascending }
  package static var isStreamed: Bool { false }
}

/// What is listed: its key gives it its place.
package protocol ListItem: JSONCoded {
  /// That of an item as it travels: pages of many nodes are merged without a look at the rest of each.
  static func key(of item: JSONValue) -> String
}

/// A request whose answer is a stream of items, until who asked has enough.
package protocol StreamRequest: FieldCoded {
  associatedtype Item: Sendable

  static var verb: String { get }
  static var role: Role { get }
  /// As ``NodeRequest/objection(to:_:)``.
  func objection(to caller: Caller, _ rules: AccessRules) -> GridError?
  /// As ``NodeRequest/isAudited``.
  static var isAudited: Bool { get }
  static func item(_ json: JSONValue) throws(GridError) -> Item
}

extension StreamRequest {
  package static var isAudited: Bool { role >= .operator }

  package func objection(to caller: Caller, _ rules: AccessRules) -> GridError? { nil }
}
