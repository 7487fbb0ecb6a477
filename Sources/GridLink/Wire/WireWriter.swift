internal import NIOCore

/// Writes fields in the protobuf encoding (protobuf.dev/programming-guides/encoding) into a buffer.
///
/// Fields with their default value are left out, as proto3 does.
struct WireWriter: ~Copyable {
  var buffer: ByteBuffer

  init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }

  mutating func field(_ number: UInt8, _ value: UInt64) {
    guard value != 0 else { return }
    buffer.writeInteger(number << 3)
    varint(value)
  }

  mutating func field(_ number: UInt8, _ value: Int64) { field(number, UInt64(bitPattern: value)) }

  mutating func field(_ number: UInt8, _ value: Bool) { field(number, value ? 1 as UInt64 : 0) }

  mutating func field(_ number: UInt8, _ text: String) {
    let count = text.utf8.count
    guard count > 0 else { return }
    buffer.writeInteger(number << 3 | 2)
    varint(UInt64(count))
    buffer.writeString(text)
  }

  mutating func field(_ number: UInt8, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    buffer.writeInteger(number << 3 | 2)
    varint(UInt64(bytes.count))
    buffer.writeBytes(bytes)
  }

  /// A map entry or other pair of strings, as a nested message with fields 1 and 2.
  mutating func pair(_ number: UInt8, _ first: String, _ second: String) {
    let size = Self.size(of: first) + Self.size(of: second)
    buffer.writeInteger(number << 3 | 2)
    varint(UInt64(size))
    field(1, first)
    field(2, second)
  }

  private static func size(of text: String) -> Int {
    let count = text.utf8.count
    guard count > 0 else { return 0 }
    return 1 + varintSize(UInt64(count)) + count
  }

  private static func varintSize(_ value: UInt64) -> Int { max(1, (64 - value.leadingZeroBitCount + 6) / 7) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
  }
}
