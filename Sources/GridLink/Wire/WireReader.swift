internal import GridCore

/// Reads protobuf fields from bytes of a peer. Never traps; a field it does not know is skipped by its wire type.
struct WireReader {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  /// - Parameter bytes: must outlive the reader.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next field, or nil at the end.
  mutating func next() throws(GridError) -> Field? {
    guard at < bytes.count else { return nil }
    let tag = try varint()
    guard tag >> 3 != 0, tag >> 3 <= 0x1FFF_FFFF else { throw Self.malformed("field number") }
    switch tag & 7 {
    case 0: return Field(number: tag >> 3, value: .varint(try varint()))
    case 1: return Field(number: tag >> 3, value: .bytes(try take(8)))
    case 2:
      let count = try varint()
      guard count <= UInt64(bytes.count - at) else { throw Self.malformed("length") }
      return Field(number: tag >> 3, value: .bytes(try take(Int(count))))
    case 5: return Field(number: tag >> 3, value: .bytes(try take(4)))
    default: throw Self.malformed("wire type")
    }
  }

  private mutating func take(_ count: Int) throws(GridError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - at else { throw Self.malformed("length") }
    defer { at += count }
    return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
  }

  private mutating func varint() throws(GridError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      guard shift < 70 else { throw Self.malformed("varint") }
    }
    throw Self.malformed("varint")
  }

  private static func malformed(_ what: String) -> GridError {
    GridError(.protocolMismatch, "malformed frame: bad \(what)")
  }

  struct Field {
    let number: UInt64
    let value: Value

    enum Value {
      case varint(UInt64)
      case bytes(UnsafeRawBufferPointer)
    }

    var integer: UInt64 {
      if case .varint(let value) = value { return value }
      return 0
    }

    var signed: Int64 { Int64(bitPattern: integer) }

    var array: [UInt8] {
      if case .bytes(let bytes) = value { return Array(bytes) }
      return []
    }

    /// The text; bytes that are not UTF-8 are a malformed frame, so that no text is ever silently changed.
    func text() throws(GridError) -> String {
      guard case .bytes(let bytes) = value else { return "" }
      // Names are ASCII, and validating is many times slower than looking whether they are.
      if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
      guard let text = String(validating: bytes, as: UTF8.self) else { throw WireReader.malformed("UTF-8 text") }
      return text
    }

    /// The two strings of a nested pair.
    func pair() throws(GridError) -> (String, String) {
      guard case .bytes(let bytes) = value else { return ("", "") }
      var reader = WireReader(bytes)
      var pair = ("", "")
      while let field = try reader.next() {
        if field.number == 1 { pair.0 = try field.text() }
        if field.number == 2 { pair.1 = try field.text() }
      }
      return pair
    }
  }
}
