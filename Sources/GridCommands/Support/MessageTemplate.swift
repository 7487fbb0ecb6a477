internal import GridCore

/// A body in which `{{n}}`, `{{uuid}}` and `{{now}}` stand for the message's number, a fresh identifier and the time.
/// Every other text stays as it is, other braces included.
struct MessageTemplate: Sendable {
  private enum Piece {
    case bytes(ArraySlice<UInt8>)
    case number, identifier, time
  }

  private let pieces: [Piece]

  init(_ body: [UInt8]) {
    var pieces: [Piece] = []
    var start = 0
    var place = 0
    let marks: [([UInt8], Piece)] = [
      (Array("{{n}}".utf8), .number), (Array("{{uuid}}".utf8), .identifier), (Array("{{now}}".utf8), .time),
    ]
    while place < body.count {
      guard body[place] == UInt8(ascii: "{"),
        let (mark, piece) = marks.first(where: { body[place...].starts(with: $0.0) })
      else {
        place += 1
        continue
      }
      if start < place { pieces.append(.bytes(body[start..<place])) }
      pieces.append(piece)
      place += mark.count
      start = place
    }
    if start < body.count { pieces.append(.bytes(body[start...])) }
    self.pieces = pieces
  }

  /// The body of one message.
  ///
  /// - Parameter number: from 1.
  func body(number: Int, clock: any GridClock, using generator: inout some RandomNumberGenerator) -> [UInt8] {
    var body: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): body += bytes
      case .number: body += String(number).utf8
      case .identifier: body += Self.identifier(using: &generator).utf8
      case .time: body += clock.date().rfc3339.utf8
      }
    }
    return body
  }

  /// A random identifier (RFC 9562, version 4).
  static func identifier(using generator: inout some RandomNumberGenerator) -> String {
    var high = generator.next()
    var low = generator.next()
    high = high & ~0xF000 | 0x4000
    low = low & ~(0xC000 << 48) | 0x8000 << 48
    let digits = Array(hexadecimal(high) + hexadecimal(low))
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return groups.map { String(digits[$0]) }.joined(separator: "-")
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
