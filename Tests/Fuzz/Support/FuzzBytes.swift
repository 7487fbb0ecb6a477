/// Reads the bytes of an input as decisions: small numbers, and pieces of what is left. Never fails: after the end come
/// zeros and empty pieces.
package struct FuzzBytes {
  private var rest: ArraySlice<UInt8>

  package init(_ bytes: [UInt8]) { rest = bytes[...] }

  package var isEmpty: Bool { rest.isEmpty }

  package mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// A number below `bound`.
  package mutating func choice(_ bound: Int) -> Int { Int(byte()) % bound }

  package mutating func flag() -> Bool { byte() & 1 == 1 }

  /// A number of two bytes.
  package mutating func number() -> Int { Int(byte()) << 8 | Int(byte()) }

  /// As many bytes as the next two say, or what there is.
  package mutating func piece() -> [UInt8] { take(number()) }

  package mutating func take(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// Everything that is left.
  package mutating func remainder() -> [UInt8] { take(rest.count) }
}
