/// What is sent to an actor: a type name, a content type, a body of bytes, and headers.
///
/// A message is a value and is immutable once sent; its body is shared, not copied, on its way through a node.
public struct Message: Sendable, Equatable {
  /// The longest body, in bytes: 16 MiB less what the frame around it needs.
  public static let maximumBodyBytes = 16 * 1024 * 1024 - 64 * 1024

  /// An application's own name for what this is (`Order`, `Status`); empty when the sender gave none.
  public var type: String
  /// How to read ``body``.
  public var contentType: ContentType
  /// The bytes themselves, at most ``maximumBodyBytes``.
  public var body: [UInt8]
  /// Named values beside the body, in the order they were given; few and short.
  public var headers: [Header]

  public init(body: [UInt8] = [], contentType: ContentType = .bytes, type: String = "", headers: [Header] = []) {
    self.type = type
    self.contentType = contentType
    self.body = body
    self.headers = headers
  }

  /// A message of UTF-8 text.
  public init(_ text: String, type: String = "") {
    self.init(body: Array(text.utf8), contentType: .text, type: type)
  }

  /// A message of one JSON value.
  public init(json: JSONValue, type: String = "") {
    self.init(body: json.serialized(), contentType: .json, type: type)
  }

  /// The body as text; bytes that are not UTF-8 are replaced by U+FFFD.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The body as one JSON value.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when the body is not JSON.
  public func json() throws(GridError) -> JSONValue { try JSONValue(parsing: body) }

  /// The size charged against byte limits of queues: the body and a flat amount for the rest.
  public var cost: Int { body.count + 64 }

  /// One named value beside a body.
  public struct Header: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
}

/// How the bytes of a body are to be read.
public enum ContentType: Sendable, Equatable {
  /// Bytes of no stated form.
  case bytes
  /// UTF-8 text.
  case text
  /// One JSON value in UTF-8.
  case json
  /// Any other media type, by its name.
  case other(String)

  /// The media type's name, as used on the wire and in JSON output.
  public var name: String {
    switch self {
    case .bytes: "application/octet-stream"
    case .text: "text/plain"
    case .json: "application/json"
    case .other(let name): name
    }
  }

  public init(name: String) {
    switch name {
    case "", "application/octet-stream": self = .bytes
    case "text/plain": self = .text
    case "application/json": self = .json
    default: self = .other(name)
    }
  }
}
