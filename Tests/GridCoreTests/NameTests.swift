internal import GridCore
internal import Testing

@Suite struct NameTests {
  @Test(arguments: [
    "a", "Z", "0", "9lives", "calc", "order-7", "order_7", "A-_-_", "n1", String(repeating: "x", count: 128),
  ])
  func `a name that follows the grammar is returned`(_ name: String) throws {
    #expect(NameRules.isValid(name))
    #expect(try NameRules.validated(name, as: "actor") == name)
  }

  @Test(arguments: [
    ("", "it is empty"),
    (String(repeating: "x", count: 129), "it has 129 bytes"),
    (String(repeating: "é", count: 65), "it has 130 bytes"),
    ("two words", "it has a space"),
    (" lead", "it has a space"),
    ("-dash", "it starts with '-'"),
    ("_low", "it starts with '_'"),
    ("a/b", "it has '/'"),
    ("/a", "it starts with '/'"),
    ("a.b", "it has '.'"),
    ("..", "it starts with '.'"),
    ("a:b", "it has ':'"),
    ("a*", "it has '*'"),
    ("a\"b", "it has '\"'"),
    ("a\nb", "it has a control character"),
    ("a\u{0}", "it has a control character"),
    ("a\u{7F}", "it has a control character"),
    ("\u{1B}[31m", "it has a control character"),
    ("zähler", "it has a character outside ASCII"),
    ("名前", "it has a character outside ASCII"),
    ("a\u{301}", "it has a character outside ASCII"),
    ("а", "it has a character outside ASCII"),
  ])
  func `a bad name is refused with the reason`(_ name: String, _ reason: String) {
    #expect(!NameRules.isValid(name))
    let error = #expect(throws: GridError.self) { try NameRules.validated(name, as: "node") }
    #expect(error?.code == .usage)
    #expect(error?.message.hasPrefix("invalid node name ") == true)
    #expect(error?.message.hasSuffix(": \(reason)") == true, "\(error?.message ?? "")")
    #expect(error?.hint?.contains("128 bytes") == true)
  }

  @Test func `every single byte is judged by the grammar`() {
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    for byte in UInt8(0)..<0x80 {
      let character = String(UnicodeScalar(byte))
      #expect(NameRules.isValid("a" + character) == allowed.contains(byte), "byte \(byte)")
      #expect(NameRules.isValid(character) == (allowed.contains(byte) && !"-_".utf8.contains(byte)), "byte \(byte)")
    }
  }

  @Test func `a quoted text has nothing that moves a cursor and is short`() {
    #expect(NameRules.quoted("plain") == "\"plain\"")
    #expect(NameRules.quoted("\u{1B}[2J\n\t\u{7F}") == "\"\\u{1B}[2J\\n\\t\\u{7F}\"")
    #expect(NameRules.quoted(String(repeating: "x", count: 48)).count == 50)
    let long = NameRules.quoted(String(repeating: "x", count: 49))
    #expect(long == "\"\(String(repeating: "x", count: 48))…\"")
    #expect(NameRules.quoted("\u{9B}31m\u{202E}x\u{2028}") == "\"\\u{009B}31m\\u{202E}x\\u{2028}\"")
    #expect(NameRules.quoted("").utf8.elementsEqual("\"\"".utf8))
  }

  @Test func `keys of the coordination store are where the documentation says`() {
    let keys = StoreKeys(namespace: "shop")
    #expect(keys.root == "/gridctl/shop/")
    #expect(keys.node("n1") == "/gridctl/shop/nodes/n1")
    #expect(keys.actor("calc") == "/gridctl/shop/actors/calc")
    #expect(keys.leader("main") == "/gridctl/shop/leaders/main")
    #expect(StoreKeys(prefix: "/x", namespace: "y").node("z") == "/x/y/nodes/z")
  }
}

@Suite struct NamePatternTests {
  @Test(arguments: [
    ("calc", "calc", true), ("calc", "calc1", false), ("calc", "cal", false), ("", "", true), ("", "a", false),
    ("*", "", true), ("*", "anything", true), ("**", "x", true), ("?", "x", true), ("?", "", false),
    ("?", "xy", false), ("order-*", "order-7", true), ("order-*", "order", false), ("*-7", "order-7", true),
    ("*-7", "order-77", false), ("o*r-?", "order-7", true), ("o*r-?", "order-", false), ("*a*b*", "xaxbx", true),
    ("*a*b*", "xbxax", false), ("a*a", "a", false), ("a*a", "aa", true), ("*ab", "aab", true), ("[a]", "a", false),
    ("[a]", "[a]", true), (".", "x", false),
  ])
  func `a pattern matches the whole name`(_ pattern: String, _ name: String, _ expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }

  @Test func `many stars do not make it slow`() {
    let pattern = NamePattern(String(repeating: "a*", count: 60) + "b")
    #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
  }

  /// The definition, by recursion over every way to divide the name.
  private func reference(_ pattern: Substring, _ name: Substring) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    if first == "*" { return name.indices.contains { reference(rest, name[$0...]) } || reference(rest, "") }
    guard let letter = name.first else { return false }
    return (first == "?" || first == letter) && reference(rest, name.dropFirst())
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `it agrees with the definition on random patterns`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let pattern = String((0..<Int.random(in: 0...6, using: &generator)).map { _ in "ab*?".random(&generator) })
      let name = String((0..<Int.random(in: 0...7, using: &generator)).map { _ in "ab".random(&generator) })
      #expect(
        NamePattern(pattern).matches(name) == reference(Substring(pattern), Substring(name)),
        "seed \(seed): \(pattern) on \(name)")
    }
  }
}

extension String {
  /// One of the characters.
  fileprivate func random(_ generator: inout SeededGenerator) -> Character {
    randomElement(using: &generator) ?? "?"
  }
}

@Suite struct NameSimilarityTests {
  @Test(arguments: [
    ("calc", ["clac", "cal", "kalc", "echo"], ["cal", "clac", "kalc"]),
    ("counter", ["conter", "countre", "counters", "sink"], ["conter", "counters", "countre"]),
    ("a", ["b", "ab", "abc"], ["ab", "b"]),
    ("hits", [], []),
    ("hits", ["miss", "entirely-else"], []),
    ("", ["x", "xy"], ["x"]),
  ])
  func `near names come first, far ones not at all`(_ name: String, _ names: [String], _ expected: [String]) {
    #expect(NameSimilarity.similar(to: name, in: names) == expected)
  }

  @Test func `the number of proposals is limited and their order fixed`() {
    let names = ["abcd4", "abcd3", "abcd2", "abcd1"]
    #expect(NameSimilarity.similar(to: "abcd", in: names) == ["abcd1", "abcd2", "abcd3"])
    #expect(NameSimilarity.similar(to: "abcd", in: names, limit: 1) == ["abcd1"])
  }

  @Test func `only the first ten thousand names are looked at`() {
    let many = (0..<10_000).map { "zzzzzzzzzzzzzzzz\($0)" } + ["calc"]
    #expect(NameSimilarity.similar(to: "calx", in: many).isEmpty)
    #expect(NameSimilarity.similar(to: "calx", in: many.suffix(10_000)) == ["calc"])
  }
}
