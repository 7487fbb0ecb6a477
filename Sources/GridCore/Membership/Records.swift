/// What a node writes about itself under its name in the coordination store.
package struct NodeRecord: Sendable, Equatable {
  package var name: String
  /// Where other nodes reach it: `HOST:PORT`.
  package var address: String
  /// Larger each time a node of this name joins.
  package var incarnation: Int64
  package var version: String
  package var labels: [String: String]
  /// The kinds that can be spawned on it, sorted.
  package var kinds: [String]
  /// When it joined.
  package var startedAt: CalendarTime

  package init(
    name: String, address: String, incarnation: Int64, version: String, labels: [String: String], kinds: [String],
    startedAt: CalendarTime
  ) {
    self.name = name
    self.address = address
    self.incarnation = incarnation
    self.version = version
    self.labels = labels
    self.kinds = kinds
    self.startedAt = startedAt
  }

  package var json: JSONValue {
    [
      "name": .string(name), "address": .string(address), "incarnation": .integer(incarnation),
      "version": .string(version), "labels": .object(labels.mapValues { .string($0) }),
      "kinds": .array(kinds.map { .string($0) }), "startedAt": .integer(startedAt.millisecondsSince1970),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard let name = json["name"]?.stringValue, let address = json["address"]?.stringValue,
      let incarnation = json["incarnation"]?.integerValue
    else { throw GridError(.undecodable, "a node record lacks name, address or incarnation") }
    self.init(
      name: name, address: address, incarnation: incarnation, version: json["version"]?.stringValue ?? "",
      labels: (json["labels"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
      kinds: (json["kinds"]?.arrayValue ?? []).compactMap(\.stringValue),
      startedAt: CalendarTime(millisecondsSince1970: json["startedAt"]?.integerValue ?? 0))
  }
}

/// What stands under an actor's name in the coordination store: who holds it.
package struct ActorRecord: Sendable, Equatable {
  package var name: String
  package var kind: String
  package var node: String
  /// The incarnation of the node that holds it.
  package var incarnation: Int64

  package init(name: String, kind: String, node: String, incarnation: Int64) {
    self.name = name
    self.kind = kind
    self.node = node
    self.incarnation = incarnation
  }

  package var json: JSONValue {
    [
      "name": .string(name), "kind": .string(kind), "node": .string(node), "incarnation": .integer(incarnation),
    ]
  }

  /// - Throws: ``GridError/Code/undecodable`` when a needed field is missing.
  package init(json: JSONValue) throws(GridError) {
    guard let name = json["name"]?.stringValue, let node = json["node"]?.stringValue else {
      throw GridError(.undecodable, "an actor record lacks name or node")
    }
    self.init(
      name: name, kind: json["kind"]?.stringValue ?? "", node: node,
      incarnation: json["incarnation"]?.integerValue ?? 0)
  }
}

/// The keys of the coordination store. Documented for people who read them with `etcdctl get --prefix`.
package struct StoreKeys: Sendable, Equatable {
  /// Everything of the namespace starts with it: `/gridctl/NAMESPACE/`.
  package let root: String

  package init(prefix: String = "/gridctl", namespace: String) { root = "\(prefix)/\(namespace)/" }

  package var nodes: String { root + "nodes/" }
  package var actors: String { root + "actors/" }
  package var leaders: String { root + "leaders/" }
  /// The last runs under a leadership that ended well.
  package var runs: String { root + "runs/" }
  /// What nodes say of the dead letters that they keep.
  package var letters: String { root + "letters/" }
  /// What is kept of tokens.
  package var tokens: String { root + "tokens/" }

  /// What follows a prefix in a key, told by bytes: a letter that combines with the prefix's last one is the name's.
  package static func name(_ key: String, under prefix: String) -> String {
    String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
  }

  package func node(_ name: String) -> String { nodes + name }
  package func actor(_ name: String) -> String { actors + name }
  package func leader(_ name: String) -> String { leaders + name }
  package func run(_ name: String) -> String { runs + name }
  package func letters(of node: String) -> String { letters + node }
  package func token(_ identifier: String) -> String { tokens + identifier }
}
