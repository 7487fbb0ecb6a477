/// One JSON value (RFC 8259). Objects keep no order and are written with sorted keys, so equal values have equal bytes.
///
/// The core's own because nothing below the node may bring Foundation in. A number that was read is written again as it
/// was written: one that neither 64 bits nor a `Double` hold keeps its text.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  /// The text of a number that the others would write differently: `12345678901234567890`, `1.10`, `1e400`.
  case decimal(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// How deep arrays and objects may nest.
  package static let maximumDepth = 64

  /// Parses one value with nothing but white space around it.
  ///
  /// - Throws: ``GridError/Code/undecodable`` with the offset of the fault; on a duplicate key, too.
  public init(parsing bytes: [UInt8]) throws(GridError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.parseDocument()
  }

  public init(parsing text: String) throws(GridError) { try self.init(parsing: Array(text.utf8)) }

  /// The compact form in UTF-8: sorted keys, no white space, no line feed.
  public func serialized() -> [UInt8] {
    var writer = JSONWriter(indentation: nil)
    writer.write(self, depth: 0)
    return writer.output
  }

  /// The form for people: two spaces a level, sorted keys.
  public func indented() -> String {
    var writer = JSONWriter(indentation: 2)
    writer.write(self, depth: 0)
    return String(decoding: writer.output, as: UTF8.self)
  }

  /// The compact form as text.
  public var text: String { String(decoding: serialized(), as: UTF8.self) }

  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { return members[key] }
    return nil
  }

  /// The object with one more member; anything else becomes an object of that member.
  package func with(_ key: String, _ value: JSONValue) -> JSONValue {
    var members = objectValue ?? [:]
    members[key] = value
    return .object(members)
  }

  /// The object without a member.
  package func without(_ key: String) -> JSONValue {
    var members = objectValue ?? [:]
    members[key] = nil
    return .object(members)
  }

  public var stringValue: String? {
    if case .string(let value) = self { return value }
    return nil
  }

  public var boolValue: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }

  public var integerValue: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    case .decimal: doubleValue.flatMap { Int64(exactly: $0) }
    default: nil
    }
  }

  /// The nearest `Double`; nil when it is no number, or beyond all of them.
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .decimal(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  public var arrayValue: [JSONValue]? {
    if case .array(let value) = self { return value }
    return nil
  }

  public var objectValue: [String: JSONValue]? {
    if case .object(let value) = self { return value }
    return nil
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
