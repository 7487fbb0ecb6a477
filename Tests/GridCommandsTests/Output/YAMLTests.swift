internal import GridCore
internal import Testing
internal import Yams

@testable internal import GridCommands

/// What we write as YAML, another reader reads as the JSON beside it.
@Suite struct YAMLTests {
  /// A YAML node as the value that a reader resolves it to.
  private static func value(_ node: Node) throws -> JSONValue {
    switch node {
    case .scalar:
      if node.null != nil { return .null }
      if let value = node.bool { return .bool(value) }
      if node.tag == Tag(.int) || node.tag.description.hasSuffix(":int") {
        return .integer(Int64(try #require(node.int)))
      }
      if node.tag.description.hasSuffix(":float") { return .number(try #require(node.float)) }
      #expect(node.tag.description.hasSuffix(":str"))
      return .string(try #require(node.string))
    case .sequence(let elements): return .array(try elements.map { try value($0) })
    case .mapping(let members):
      var object: [String: JSONValue] = [:]
      for (key, member) in members {
        #expect(key.tag.description.hasSuffix(":str"), "a key that is no string")
        object[try #require(key.string)] = try value(member)
      }
      return .object(object)
    case .alias: throw GridError(.undecodable, "an alias, which is never written")
    }
  }

  private static func roundTrip(_ value: JSONValue) throws {
    let text = YAMLEmitter.document(value)
    let node = try #require(try Yams.compose(yaml: text), "\(text)")
    #expect(try Self.value(node) == value, "\(text)")
  }

  @Test func `strings that look like something else stay strings`() throws {
    let strings = [
      "", " ", "a ", " a", "null", "Null", "~", "true", "YES", "no", "Off", "y", "N", "1", "-1", "+1", "0x1F", "0o17",
      "017",
      "1_000", "1e3", "1.5", ".5", ".inf", "-.INF", ".nan", "12:30:45", "2026-01-02", "2026-01-02T03:04:05Z", "=", "<<",
      "- a", "? a", ": a", "a: b", "a:b", "a #b", "#a", "&a", "*a", "!a", "!!int", "%a", "@a", "`a", "|", ">", "'a'",
      "\"a\"", "[a]", "{a}", "a,b", "---", "...", "a\nb", "a\tb", "\r", "\u{0}", "\u{1B}[1m", "\u{7F}", "\u{85}",
      "\u{A0}", "\u{2028}", "\u{202E}x", "\u{FFFE}", "é", "日本", "👍", "\\n", "Infinity", "e5", "n1/a.b-c_d",
      String(repeating: "long ", count: 500),
    ]
    for text in strings {
      try Self.roundTrip(["value": .string(text)])
      try Self.roundTrip(.object([text: 1]))
    }
  }

  @Test func `numbers nothing and truth are what they are in json`() throws {
    let values: [JSONValue] = [
      nil, true, false, 0, -1, .integer(.max), .integer(.min), 0.1, -1.5, 1e22, 1e-7, 3.0,
      .number(.leastNonzeroMagnitude),
      .number(.greatestFiniteMagnitude), .number(-0.0),
    ]
    for value in values { try Self.roundTrip(["value": value]) }
    // The mark of byte order is escaped; the reader used here drops it even so.
    #expect(YAMLEmitter.document(["value": "\u{FEFF}"]) == "value: \"\\ufeff\"\n")
    #expect(YAMLEmitter.document(["value": .number(.infinity)]) == "value: null\n")
  }

  @Test func `nesting comes back as it was`() throws {
    let values: [JSONValue] = [
      [:], [], ["a": [:], "b": []], [[1, [2, [3]]], [], [[:]]], [["a": ["b": ["c": [1, ["d": nil]]]]]],
      ["a": [["b": 1, "c": [["d": 2], ["e": [3]]]], 4]],
      .object([String(repeating: "k", count: 3000): ["x": 1], String(repeating: "\n", count: 600): [[1]]]),
    ]
    for value in values { try Self.roundTrip(value) }
  }

  @Test func `whatever json there is comes back`() throws {
    var generator = SeededBits(state: 0x9E37_79B9)
    for _ in 0..<300 { try Self.roundTrip(Self.random(depth: 0, &generator)) }
  }

  private static func random(depth: Int, _ generator: inout SeededBits) -> JSONValue {
    switch Int.random(in: 0..<(depth > 4 ? 5 : 8), using: &generator) {
    case 0: return .null
    case 1: return .bool(.random(using: &generator))
    case 2: return .integer(.random(in: .min ... .max, using: &generator))
    case 3: return .number(Double.random(in: -1e6...1e6, using: &generator) + 0.5)
    case 4: return .string(text(&generator))
    case 5:
      return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth + 1, &generator) })
    default:
      var members: [String: JSONValue] = [:]
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        members[text(&generator)] = random(depth: depth + 1, &generator)
      }
      return .object(members)
    }
  }

  private static func text(_ generator: inout SeededBits) -> String {
    let alphabet = Array("ab1 :#-?,[]{}&*!|>'\"%@`\\\n\t\u{1B}\u{85}\u{2028}é日👍~.")
    return String(
      (0..<Int.random(in: 0...8, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
  }
}

/// The same numbers in every run (xorshift64*).
struct SeededBits: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
