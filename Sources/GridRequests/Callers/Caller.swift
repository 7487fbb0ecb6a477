package import GridCore

/// Who may ask for something, from the least: looking, changing, being a node of the cluster.
package enum Role: String, Sendable, CaseIterable, Comparable, FieldValue {
  case viewer
  case `operator`
  case node

  package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .viewer: 0
    case .operator: 1
    case .node: 2
    }
  }
}

/// Who asks: known from the connection, and carried along when one node asks another on somebody's behalf.
package struct Caller: FieldCoded, Equatable, Sendable {
  /// How it is known who it is.
  package enum Source: String, Sendable, CaseIterable, FieldValue {
    /// The node itself, or another one of the cluster, for itself.
    case node
    /// A Unix socket: the kernel names the user.
    case socket
    /// The secret of the namespace was proved.
    case secret
    case certificate
    case token
  }

  /// For people: the user of a socket, the name in a certificate, the identifier of a token.
  package var name = ""
  package var role = Role.viewer
  package var source = Source.secret
  /// The address it came from at first: that of a connection, or `unix`.
  package var from = ""
  /// It is a process of the node's own machine, and one that its user trusts: it came over a Unix socket, or over
  /// loopback with the secret.
  package var isHere = false
  /// Whether it may read bodies of dead letters and traces: an operator always, a viewer where that was granted.
  package var readsBodies = false

  package init() {}

  package init(
    name: String, role: Role, source: Source, from: String = "", isHere: Bool = false, readsBodies: Bool? = nil
  ) {
    self.name = name
    self.role = role
    self.source = source
    self.from = from
    self.isHere = isHere
    self.readsBodies = readsBodies ?? (role >= .operator)
  }

  /// A node, for itself.
  package static func node(_ name: String, from: String = "") -> Caller {
    Caller(name: name, role: .node, source: .node, from: from, isHere: true)
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("role", &role)
    try fields.value("source", &source)
    try fields.value("from", &from)
    try fields.flag("here", &isHere)
    try fields.flag("bodies", &readsBodies)
  }

  /// It shows a token for a new node: it may be told the secret of the namespace, and is no node yet.
  package var isJoining: Bool { source == .token && role == .node }

  /// Why it may not ask for what needs `role`; nil when it may.
  package func objection(to what: String, needing role: Role) -> GridError? {
    if isJoining {
      return GridError(
        .refused, "\(what) is not for \(described): it lets a new node in, and is good for nothing else",
        hint: "gridctl node join HOST:PORT --token-file FILE")
    }
    guard self.role < role else { return nil }
    return GridError(
      .refused, "\(what) needs the role \(role.rawValue); \(described) is \(self.role.rawValue)",
      hint: "see: gridctl help roles")
  }

  /// Who it is, for people.
  package var described: String {
    switch source {
    case .node: "node \(name)"
    case .socket: "user \(name)"
    case .secret: "\(name), with the secret of the namespace,"
    case .certificate: "the certificate of \(name)"
    case .token: "token \(name)"
    }
  }
}
