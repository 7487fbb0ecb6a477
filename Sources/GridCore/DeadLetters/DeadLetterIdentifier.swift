/// Makes identifiers that are unique in the cluster and sort by time: ULIDs (ulid.github.io/spec), 48 bits of
/// milliseconds and 80 random bits in Crockford's base 32, 26 characters; within one millisecond, or when the calendar
/// clock steps back, the random part counts up so that order is kept.
package struct DeadLetterIdentifier: Sendable {
  private var generator: any RandomNumberGenerator & Sendable
  private var last: Int64 = -1
  private var high: UInt16 = 0
  private var low: UInt64 = 0

  /// - Parameter generator: the source of the random bits; seeded in tests, the system's in a node.
  package init(generator: any RandomNumberGenerator & Sendable) { self.generator = generator }

  /// The next identifier, larger than every one before it.
  package mutating func next(at time: CalendarTime) -> String {
    // A calendar clock that is set to before 1970, or beyond the year 10889, must not break the order.
    let milliseconds = min(max(0, time.millisecondsSince1970), 0xFFFF_FFFF_FFFF)
    if milliseconds > last {
      last = milliseconds
      // The top bit stays free so that counting up within a millisecond cannot overflow.
      high = UInt16.random(in: 0...0x7FFF, using: &generator)
      low = generator.next()
    } else {
      low &+= 1
      if low == 0 { high &+= 1 }
    }
    return Self.encode(UInt64(clamping: last), high, low)
  }

  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

  private static func encode(_ time: UInt64, _ high: UInt16, _ low: UInt64) -> String {
    var value = (UInt128(time) << 80) | (UInt128(high) << 64) | UInt128(low)
    return String(unsafeUninitializedCapacity: 26) { buffer in
      for index in stride(from: 25, through: 0, by: -1) {
        buffer[index] = alphabet[Int(truncatingIfNeeded: value & 31)]
        value >>= 5
      }
      return 26
    }
  }
}
