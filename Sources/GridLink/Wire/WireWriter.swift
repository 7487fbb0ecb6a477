/// Writes fields in the protobuf encoding (protobuf.dev/programming-guides/encoding) into memory that it was given.
///
/// Fields with their default value are left out, as proto3 does. What does not fit is not written, and ``isTooSmall``
/// says so: the caller then tries again with more room.
struct WireWriter: ~Copyable {
  private let bytes: UnsafeMutableRawBufferPointer
  /// Bytes written.
  private(set) var count = 0
  private(set) var isTooSmall = false

  /// - Parameter bytes: must outlive the writer.
  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  mutating func byte(_ value: UInt8) {
    guard count < bytes.count else {
      isTooSmall = true
      return
    }
    bytes[count] = value
    count += 1
  }

  mutating func field(_ number: UInt8, _ value: UInt64) {
    guard value != 0 else { return }
    byte(number << 3)
    varint(value)
  }

  mutating func field(_ number: UInt8, _ value: Int64) { field(number, UInt64(bitPattern: value)) }

  mutating func field(_ number: UInt8, _ value: Bool) { field(number, value ? 1 as UInt64 : 0) }

  mutating func field(_ number: UInt8, _ text: String) {
    var text = text
    text.withUTF8 { field(number, UnsafeRawBufferPointer($0)) }
  }

  mutating func field(_ number: UInt8, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { field(number, $0) }
  }

  private mutating func field(_ number: UInt8, _ source: UnsafeRawBufferPointer) {
    guard !source.isEmpty else { return }
    byte(number << 3 | 2)
    varint(UInt64(source.count))
    guard bytes.count - count >= source.count else {
      isTooSmall = true
      return
    }
    UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: source)
    count += source.count
  }

  /// A map entry or other pair of strings, as a nested message with fields 1 and 2.
  mutating func pair(_ number: UInt8, _ first: String, _ second: String) {
    byte(number << 3 | 2)
    varint(UInt64(Self.size(of: first) + Self.size(of: second)))
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
      byte(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    byte(UInt8(truncatingIfNeeded: rest))
  }
}
