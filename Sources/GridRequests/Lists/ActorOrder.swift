package import GridCore

/// By what actors are put in order, the largest first; by name where that is equal.
package enum ActorOrder: String, CaseIterable, Sendable, FieldValue {
  case mailbox, rate, time, failures, restarts, name

  /// Of an actor as it is listed.
  package func weight(of row: JSONValue) -> Double {
    func number(_ field: String) -> Double { row[field]?.doubleValue ?? 0 }
    switch self {
    case .mailbox: return number("mailbox")
    case .rate: return number("perSecond")
    case .time: return max(number("inHandSeconds"), number("handlerP99Seconds"))
    case .failures: return number("failures")
    case .restarts: return number("restarts")
    case .name: return 0
    }
  }

  /// Whether an actor of one weight and name comes before another.
  package static func isBefore(_ left: (weight: Double, name: String), _ right: (weight: Double, name: String)) -> Bool
  {
    left.weight == right.weight ? left.name < right.name : left.weight > right.weight
  }
}

/// What somebody types to see some actors only: a part of a name, kind or node, or a pattern with `*` and `?` for one
/// of these. Pure.
package struct ActorFilter: Sendable {
  /// In small letters.
  private let part: [UInt8]
  private let pattern: NamePattern?

  /// - Parameter text: empty for all.
  package init(_ text: String) {
    part = Array(text.lowercased().utf8)
    pattern = text.contains { "*?".contains($0) } ? NamePattern(text) : nil
  }

  package func matches(name: String, kind: String, node: String) -> Bool {
    part.isEmpty || matches(name) || matches(kind) || matches(node)
  }

  /// An actor as it is listed.
  package func matches(_ row: JSONValue) -> Bool {
    matches(name: row.name, kind: row.text("kind"), node: row.text("node"))
  }

  private func matches(_ value: String) -> Bool {
    if let pattern { return pattern.matches(value) }
    // A node looks at a million names: those that are ASCII, as all are, cost no other text.
    return value.utf8.withContiguousStorageIfAvailable { contains(part, in: $0) }
      ?? contains(part, in: Array(value.lowercased().utf8))
  }

  private func contains(_ part: [UInt8], in bytes: some RandomAccessCollection<UInt8>) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...bytes.count - part.count).contains { start in
      bytes.dropFirst(start).prefix(part.count).elementsEqual(part) { Self.lowered($0) == $1 }
    }
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}
