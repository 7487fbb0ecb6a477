/// What is sent to an actor: a type name, a content type, a body of bytes, and headers.
///
/// A message is a value and is immutable once sent; its body is shared, not copied, on its way through a node.
public struct Message: Sendable, Equatable {
  /// The longest body, in bytes: 16 MiB less what the frame around it needs.
  public static let maximumBodyBytes = 16 * 1024 * 1024 - 64 * 1024

  /// The bytes themselves, at most ``maximumBodyBytes``.
  ///
  /// Of a typed message that has not left its process they are made each time they are asked for; empty where its value
  /// cannot be written.
  public var body: [UInt8] {
    @inline(__always) get { extras?.value == nil ? bytes : writtenBody }
    set {
      bytes = newValue
      if extras?.value != nil { extras = .of(type: type, mediaType: extras?.mediaType ?? "", headers: headers) }
    }
  }
  private var bytes: [UInt8]
  private var form: Form
  /// What most messages do not have, behind one reference: a message is copied at every step of its way, and each
  /// reference in it is counted each time.
  private var extras: Extras?

  public init(body: [UInt8] = [], contentType: ContentType = .bytes, type: String = "", headers: [Header] = []) {
    bytes = body
    form = Form(contentType)
    extras = .of(type: type, mediaType: Self.mediaType(contentType), headers: headers)
  }

  private static func mediaType(_ contentType: ContentType) -> String {
    if case .other(let name) = contentType { name } else { "" }
  }

  // MARK: Values

  /// A message with a value that travels as it is while it stays in this process, and becomes bytes where it leaves it.
  package init(carrying value: any CarriedValue, contentType: ContentType, type: String) {
    bytes = []
    form = Form(contentType)
    extras = Extras(type: type, mediaType: Self.mediaType(contentType), headers: [], value: value)
  }

  /// The value that it carries; nil when it has bytes.
  package var carried: (any CarriedValue)? { extras?.value }

  /// The message with its bytes, as it leaves the process; itself when it has them already.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when its value cannot be written.
  package func written() throws(GridError) -> Message {
    guard let value = extras?.value else { return self }
    return Message(body: try value.written(), contentType: contentType, type: type, headers: headers)
  }

  private var writtenBody: [UInt8] { (try? extras?.value?.written()) ?? [] }

  // MARK: Beside the body

  /// An application's own name for what this is (`Order`, `Status`); empty when the sender gave none.
  public var type: String {
    get { extras?.type ?? "" }
    set { extras = .of(type: newValue, mediaType: extras?.mediaType ?? "", headers: headers, value: extras?.value) }
  }

  /// How to read ``body``.
  public var contentType: ContentType {
    get {
      switch form {
      case .bytes: .bytes
      case .text: .text
      case .json: .json
      case .other: .other(extras?.mediaType ?? "")
      }
    }
    set {
      form = Form(newValue)
      var mediaType = ""
      if case .other(let name) = newValue { mediaType = name }
      if mediaType != extras?.mediaType ?? "" {
        extras = .of(type: type, mediaType: mediaType, headers: headers, value: extras?.value)
      }
    }
  }

  /// Named values beside the body, in the order they were given; few and short.
  public var headers: [Header] {
    get { extras?.headers ?? [] }
    set { extras = .of(type: type, mediaType: extras?.mediaType ?? "", headers: newValue, value: extras?.value) }
  }

  private enum Form: UInt8 {
    case bytes, text, json, other

    init(_ contentType: ContentType) {
      switch contentType {
      case .bytes: self = .bytes
      case .text: self = .text
      case .json: self = .json
      case .other: self = .other
      }
    }
  }

  private final class Extras: Sendable, Equatable {
    let type: String
    let mediaType: String
    let headers: [Header]
    let value: (any CarriedValue)?

    /// Looked at before anything is allocated: most messages have none.
    @inline(__always)
    static func of(
      type: String, mediaType: String, headers: [Header], value: (any CarriedValue)? = nil
    ) -> Extras? {
      if type.isEmpty, mediaType.isEmpty, headers.isEmpty, value == nil { return nil }
      return Extras(type: type, mediaType: mediaType, headers: headers, value: value)
    }

    init(type: String, mediaType: String, headers: [Header], value: (any CarriedValue)?) {
      self.type = type
      self.mediaType = mediaType
      self.headers = headers
      self.value = value
    }

    static func == (left: Extras, right: Extras) -> Bool {
      left.type == right.type && left.mediaType == right.mediaType && left.headers == right.headers
    }
  }

  public static func == (left: Message, right: Message) -> Bool {
    left.form == right.form && left.extras == right.extras && left.body == right.body
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

  /// The size charged against byte limits of queues: the body and a flat amount for the rest. A value that was not
  /// written counts as nothing: it is its sender's memory already.
  package var cost: Int { bytes.count + 64 }

  /// At most so many bytes a frame needs for what is neither body nor number. Costs nothing where there is none.
  package var extraBytes: Int {
    guard let extras else { return 0 }
    return extras.headers.reduce(extras.type.utf8.count + extras.mediaType.utf8.count) {
      $0 + $1.name.utf8.count + $1.value.utf8.count + 32
    }
  }

  /// Why nobody may send it, wherever its target is: it would not fit into a frame of a link, or has too much beside
  /// its body. Nil when it does and has not, and for a value that was not written.
  package var oversize: GridError? {
    guard bytes.count > Self.maximumBodyBytes || bytes.count + extraBytes > Self.maximumWholeBytes else {
      return excess
    }
    return Self.oversize(body: bytes.count, rest: extraBytes)
  }

  /// A frame has 16 MiB; so much of it is for names and numbers.
  private static let maximumWholeBytes = 16 * 1024 * 1024 - 1024

  private static func oversize(body: Int, rest: Int) -> GridError {
    guard body > maximumBodyBytes else {
      return GridError(
        .undecodable, "a message of \(body.addingClamped(rest)) bytes does not fit into a frame",
        hint: "body, type and headers have \(maximumWholeBytes) bytes together at most")
    }
    return GridError(
      .undecodable, "a body of \(body) bytes is too large", hint: "a body has \(maximumBodyBytes) bytes at most")
  }

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
