internal import GridCore
internal import Testing

/// Ways through JSON text without values.
@Suite struct JSONScannerTests {
  private func isWhole(_ text: String) -> Bool {
    var scanner = JSONScanner(Array(text.utf8))
    scanner.skipSpace()
    do {
      try scanner.skipValue()
      try scanner.end()
      return true
    } catch {
      return false
    }
  }

  @Test(arguments: [
    "{}", "[]", " { \"a\" : [ 1 , -2.5e+3 , true , false , null ] , \"b\" : \"\\\"\\\\\\u00e9\" } \n", "0", "-0",
    "\"ü\"", "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "01", "1.", "1e", "+1", ".5", "-", "tru",
    "nulll", "\"a",
    "\"\\x\"", "\"\\u12g4\"", "\"\u{01}\"", "[1] 2", "{1:2}", "[[[[]]]]", "\"\\", "\"\\u12", "{\"a\":1 \"b\":2}",
    "1e400",
  ])
  func `it takes what the parser takes`(_ text: String) {
    let isJSON = (try? JSONValue(parsing: text)) != nil
    #expect(isWhole(text) == isJSON, "\(text)")
  }

  @Test func `nesting has the same bound`() {
    for depth in [JSONValue.maximumDepth, JSONValue.maximumDepth + 1, 100_000] {
      let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      #expect(isWhole(text) == ((try? JSONValue(parsing: text)) != nil), "\(depth)")
    }
  }

  @Test(arguments: 0..<300)
  func `whatever the bytes, it ends, and finds no other values than the parser`(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let parts = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "-2.5", "true", "null", " ", "\\", "\"", "\u{7F}",
    ]
    let text = (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in parts.randomElement(using: &random) }
      .joined()
    let value = try? JSONValue(parsing: text)
    // Keys that come twice are for the parser alone.
    if value != nil { #expect(isWhole(text), "seed \(seed): \(text)") }
    if value == nil, isWhole(text) { #expect(text.contains("\"a\"") || text.contains("\"b\""), "\(seed): \(text)") }
  }

  @Test func `members and elements are found where they lie`() throws {
    let bytes = Array(#"{"a":[1,{"x":"y"}],"é":"q"}"#.utf8)
    var scanner = JSONScanner(bytes)
    var found: [String] = []
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    try scanner.members { scanner, key throws(GridError) in
      if scanner.has("a", in: key) {
        try scanner.elements { scanner throws(GridError) in found.append(text(try scanner.skipValue())) }
        found.append("\(scanner.sawOther)")
      } else {
        found.append(text(key) + "=" + text(try scanner.skipText()))
      }
    }
    #expect(found == ["1", #"{"x":"y"}"#, "false", "é=q"])
    #expect(scanner.sawOther && scanner.at == bytes.count)
  }
}
