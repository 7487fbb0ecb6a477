/// Where messages go, as people type it: a name, a virtual address or a local one.
///
/// It is its text and nothing else, so that whoever carries a target pays for a text: ``form`` takes it apart where
/// that matters, on ways that are not taken for every message. Two addresses are the same when their texts are.
///
/// | form | example | leads to |
/// |---|---|---|
/// | name | `orders` | the one actor of the namespace that has the name |
/// | virtual | `cart/17` | the actor of kind `cart` for identity `17` |
/// | local | `echo~7@n1.42` | the seventh actor without a name that node `n1` has made since it joined as 42 |
///
/// None needs quoting in a shell.
public struct ActorAddress: Sendable, Hashable, CustomStringConvertible {
  /// The address as it is typed.
  public let text: String

  /// What an address consists of.
  package enum Form: Sendable, Hashable {
    case name(String)
    case virtual(kind: String, identity: String)
    case local(LocalAddress)
  }

  /// Takes a text that is known to be one, or whose reader is told when it is none.
  package init(unchecked text: String) { self.text = text }

  package init(_ local: LocalAddress) { text = local.description }

  /// - Throws: ``GridError/Code/usage`` with what is wrong with it.
  public init(parsing text: String) throws(GridError) {
    _ = try Self.form(of: text)
    self.text = text
  }

  /// What it consists of; of what is no address, a name that nobody has.
  package var form: Form { (try? Self.form(of: text)) ?? .name(text) }

  /// The local address that it is; nil when it is none. Cheap for a name.
  package var local: LocalAddress? {
    guard text.utf8.contains(UInt8(ascii: "~")), case .local(let local) = form else { return nil }
    return local
  }

  public var description: String { text }
}

extension ActorAddress {
  /// The longest identity of a virtual actor, in bytes.
  package static let maximumIdentityLength = 256

  private static func form(of text: String) throws(GridError) -> Form {
    if let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) {
      let kind = String(text[..<slash])
      let identity = String(text[text.utf8.index(after: slash)...])
      if let fault = NameRules.fault(in: kind) { throw invalid(text, "its kind: \(fault)") }
      if let fault = identityFault(identity) { throw invalid(text, "its identity: \(fault)") }
      return .virtual(kind: kind, identity: identity)
    }
    guard text.utf8.contains(UInt8(ascii: "~")) else {
      return .name(try NameRules.validated(text, as: "actor"))
    }
    do { return .local(try LocalAddress(parsing: text)) } catch { throw invalid(text, error.message) }
  }

  private static func identityFault(_ identity: String) -> String? {
    if identity.isEmpty { return "it is empty" }
    if identity.utf8.count > maximumIdentityLength { return "it has \(identity.utf8.count) bytes" }
    let isPlain = identity.utf8.allSatisfy { byte in
      NameRules.isLetterOrDigit(byte) || "-_.:@+".utf8.contains(byte)
    }
    return isPlain ? nil : "it has something else than letters, digits and -_.:@+"
  }

  private static func invalid(_ text: String, _ fault: String) -> GridError {
    GridError(
      .usage, "invalid address \(NameRules.quoted(text)): \(fault)",
      hint: "an address is a name, as orders; KIND/IDENTITY, as cart/17; or KIND~NUMBER@NODE.INCARNATION")
  }
}

/// The address of an actor without a name: the node that made it, and its number there.
///
/// The incarnation keeps it from leading to another actor once the node has been started again.
package struct LocalAddress: Sendable, Hashable, CustomStringConvertible {
  /// For people: the number alone tells it apart.
  package var kind: String
  /// Counts what the node has made, from 1.
  package var number: UInt64
  package var node: String
  /// The one that the node had when it made the actor.
  package var incarnation: Int64

  package init(kind: String, number: UInt64, node: String, incarnation: Int64) {
    self.kind = kind
    self.number = number
    self.node = node
    self.incarnation = incarnation
  }

  package var description: String { "\(kind)~\(number)@\(node).\(incarnation)" }

  /// - Throws: ``GridError/Code/usage`` with what is wrong with it.
  fileprivate init(parsing text: String) throws(GridError) {
    func wrong(_ fault: String) -> GridError { GridError(.usage, fault) }
    let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else { throw wrong("it has no @NODE.INCARNATION at its end") }
    let own = halves[0].split(separator: "~", maxSplits: 1, omittingEmptySubsequences: false)
    let place = halves[1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard own.count == 2 else { throw wrong("it has its ~ behind the @") }
    guard place.count == 2 else { throw wrong("its node has no .INCARNATION") }
    if let fault = NameRules.fault(in: String(own[0])) { throw wrong("its kind: \(fault)") }
    if let fault = NameRules.fault(in: String(place[0])) { throw wrong("its node: \(fault)") }
    // One text for each address: no leading zeros, no signs.
    guard let number = UInt64(own[1]), number > 0, String(number) == own[1] else {
      throw wrong("\(NameRules.quoted(String(own[1]))) is no number from 1")
    }
    guard let incarnation = Int64(place[1]), incarnation >= 0, String(incarnation) == place[1] else {
      throw wrong("\(NameRules.quoted(String(place[1]))) is no incarnation")
    }
    self.init(kind: String(own[0]), number: number, node: String(place[0]), incarnation: incarnation)
  }
}
