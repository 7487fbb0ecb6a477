internal import GridCore
internal import Testing

@Suite struct JSONTests {
  // MARK: What is JSON

  @Test(
    arguments: [
      ("null", JSONValue.null), (" \t\r\n true \n", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
      ("-0", .decimal("-0")), ("7", .integer(7)), ("-7", .integer(-7)), ("\"\"", .string("")), ("[]", .array([])),
      ("{}", .object([:])), ("[ ]", .array([])), ("{ }", .object([:])),
      ("[1,[2,[]],{}]", .array([.integer(1), .array([.integer(2), .array([])]), .object([:])])),
      ("{\"a\":1,\"b\":{\"a\":null}}", ["a": 1, "b": ["a": nil]]),
      ("{ \"a\" : 1 , \"b\" : [ 1 , 2 ] }", ["a": 1, "b": [1, 2]]),
      ("{\"\":1}", ["": 1]), ("1.5", .number(1.5)), ("-0.0", .number(-0.0)), ("1.0", .number(1)),
      ("1e3", .decimal("1e3")), ("1E+3", .decimal("1E+3")), ("1e-3", .decimal("1e-3")), ("0e0", .decimal("0e0")),
      ("1.7976931348623157e+308", .number(.greatestFiniteMagnitude)), ("5e-324", .number(.leastNonzeroMagnitude)),
      ("1e-400", .decimal("1e-400")), ("1e400", .decimal("1e400")), ("1.10", .decimal("1.10")),
    ] as [(String, JSONValue)])
  func `a valid document is read`(_ text: String, _ expected: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == expected)
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", "01", "-01", "00", ".5", "1.", "1.e3", "1e", "1e+",
    "0x10", "1 2", "1,", "--1", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "[1]]", "{",
    "{\"a\"",
    "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{1:2}", "{a:1}", "{'a':1}", "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":}", "\"", "\"a", "'a'", "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"",
    "\"\\u12G4\"", "\"\\u 123\"", "\"\\U0041\"", "// c\n1", "1 // c", "/* c */ 1", "\u{FEFF}1", "\u{A0}1", "1\u{0}",
    "\u{0B}1", "\u{0C}1", "tru", "truefalse", "[true false]", "\"a\"\"b\"", "undefined",
  ])
  func `an invalid document is refused with a place`(_ text: String) {
    let error = #expect(throws: GridError.self) { try JSONValue(parsing: text) }
    #expect(error?.code == .undecodable)
    #expect(error?.message.hasPrefix("not JSON: ") == true)
    #expect(error?.message.contains(" at byte ") == true)
  }

  // MARK: Numbers

  @Test(arguments: [
    ("9223372036854775807", JSONValue.integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .decimal("9223372036854775808")),
    ("-9223372036854775809", .decimal("-9223372036854775809")),
    ("18446744073709551615", .decimal("18446744073709551615")),
    ("9007199254740993", .integer(9_007_199_254_740_993)),
    ("123456789012345678901234567890", .decimal("123456789012345678901234567890")),
  ])
  func `whole numbers are exact to the edge of 64 bits`(_ text: String, _ expected: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == expected)
  }

  @Test(arguments: [
    "0", "-0", "1.10", "1e400", "-1E-400", "12345678901234567890", "9223372036854775808", "0.1", "1e3", "1E+3",
    "100000000000000000000.0", "3.141592653589793238462643", "5e-324", "1.0", "[1.10,{\"a\":-0}]",
  ])
  func `a number is written as it was read`(_ text: String) throws {
    #expect(try JSONValue(parsing: text).text == text)
  }

  @Test func `what a number is worth is known as far as a double holds it`() {
    #expect(JSONValue.decimal("1e3").integerValue == 1000)
    #expect(JSONValue.decimal("1.10").doubleValue == 1.1)
    #expect(JSONValue.decimal("1e400").doubleValue == nil)
    #expect(JSONValue.decimal("12345678901234567890").integerValue == nil)
  }

  @Test func `a number is read as an integer only where it is one`() {
    #expect(JSONValue.number(3).integerValue == 3)
    #expect(JSONValue.number(3.5).integerValue == nil)
    #expect(JSONValue.number(1e300).integerValue == nil)
    #expect(JSONValue.number(9_223_372_036_854_775_808).integerValue == nil)
    #expect(JSONValue.number(.nan).integerValue == nil)
    #expect(JSONValue.integer(3).doubleValue == 3)
    #expect(JSONValue.string("3").integerValue == nil)
  }

  @Test func `numbers that JSON cannot say are written as null`() {
    #expect(JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity)]).text == "[null,null,null]")
  }

  // MARK: Text

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\uD83D\uDE00""#, "😀"), (#""\ud800\udc00""#, "\u{10000}"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
    (#""\u0000""#, "\u{0}"), ("\"é€😀\"", "é€😀"), ("\"\u{7F}\"", "\u{7F}"), (#""\uFFFF""#, "\u{FFFF}"),
  ])
  func `escapes and surrogate pairs are read`(_ text: String, _ expected: String) throws {
    let value = try JSONValue(parsing: text)
    #expect(value.stringValue.map { Array($0.utf8) } == Array(expected.utf8))
  }

  @Test(arguments: [
    #""\uD800""#, #""\uDC00""#, #""\uD800\uD800""#, #""\uD800x""#, #""\uD800\n""#, #""\uD83D\u0041""#,
    #""\uDE00\uD83D""#,
    #""\uD83D\"#, #""\uD83D\u"#, #""\uD83D"#,
  ])
  func `half a surrogate pair is refused`(_ text: String) {
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: text) }
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0xAF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80],
      [0xFF], [0xFE],
    ] as [[UInt8]])
  func `bytes that are not UTF-8 are refused`(_ bytes: [UInt8]) {
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: bytes) }
  }

  @Test func `what is written has no control characters and can be read again`() throws {
    let all = String(String.UnicodeScalarView((0..<0x300).compactMap { UnicodeScalar($0 as UInt32) }))
    let written = JSONValue.string(all).serialized()
    #expect(written.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    #expect(try JSONValue(parsing: written) == .string(all))
  }

  // MARK: Objects

  @Test(arguments: [
    #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":2}"#, #"[{"x":{"y":1,"y":2}}]"#, #"{"":1,"":2}"#,
  ])
  func `a duplicate key is refused`(_ text: String) {
    let error = #expect(throws: GridError.self) { try JSONValue(parsing: text) }
    #expect(error?.message.contains("duplicate key") == true)
  }

  @Test func `objects are written with sorted keys`() {
    let value: JSONValue = ["b": [1, 2.5, nil], "a": ["y": true, "x": "t\n"], "ä": 1, "B": [:], "c": []]
    #expect(value.text == #"{"B":{},"a":{"x":"t\n","y":true},"b":[1,2.5,null],"c":[],"ä":1}"#)
    #expect(
      (["b": [1, [:]], "a": []] as JSONValue).indented() == """
        {
          "a": [],
          "b": [
            1,
            {}
          ]
        }
        """)
  }

  @Test func `the last of equal keys in a literal counts`() {
    #expect((["a": 1, "a": 2] as JSONValue)["a"] == 2)
  }

  @Test func `what a value is not, it does not pretend to be`() {
    let values: [JSONValue] = [.null, .bool(true), .integer(1), .number(1.5), .string("s"), [1], ["k": 1]]
    #expect(values.compactMap(\.boolValue) == [true])
    #expect(values.compactMap(\.stringValue) == ["s"])
    #expect(values.compactMap(\.arrayValue) == [[1]])
    #expect(values.compactMap(\.objectValue) == [["k": 1]])
    #expect(values.compactMap(\.integerValue) == [1])
    #expect(values.compactMap { $0["k"] } == [1])
  }

  // MARK: Depth

  @Test func `a document nests as deep as the limit and no deeper`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
    }
    #expect(try JSONValue(parsing: nested(JSONValue.maximumDepth)).arrayValue?.count == 1)
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: nested(JSONValue.maximumDepth + 1)) }
    let depth = JSONValue.maximumDepth + 1
    let empty = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let error = #expect(throws: GridError.self) { try JSONValue(parsing: empty) }
    #expect(error?.message.contains("nested too deeply") == true)
    let objects = String(repeating: "{\"a\":", count: JSONValue.maximumDepth + 1) + "1"
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: objects) }
  }

  @Test(arguments: ["[", "{\"a\":", "[[{\"a\":"])
  func `a million opening brackets do not end the process`(_ opening: String) {
    let document = String(repeating: opening, count: 1_000_000)
    #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: document) }
  }
}
