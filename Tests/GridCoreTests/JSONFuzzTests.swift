internal import GridCore
internal import Testing

/// Random and damaged documents: none ends the process, and what is accepted survives being written and read again.
@Suite struct JSONFuzzTests {
  private func check(_ bytes: [UInt8], _ note: String) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    let written = value.serialized()
    #expect((try? JSONValue(parsing: written)) == value, "\(note): \(String(decoding: bytes, as: UTF8.self))")
    #expect((try? JSONValue(parsing: value.indented())) == value, "\(note): \(String(decoding: bytes, as: UTF8.self))")
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `random bytes`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("{}[]:,\"\\/ \n0123456789+-.eEtrufalsn\u{7F}é".utf8) + [0x00, 0x80, 0xC3, 0xFF]
    for round in 0..<500 {
      let count = Int.random(in: 0...40, using: &generator)
      check((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) }, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: 11...20 as ClosedRange<UInt64>)
  func `damaged documents`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<1000 {
      var bytes = Self.value(depth: 4, &generator).serialized()
      for _ in 0..<Int.random(in: 1...3, using: &generator) { Self.damage(&bytes, &generator) }
      check(bytes, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: 21...30 as ClosedRange<UInt64>)
  func `whole documents come back as they were`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<500 {
      let value = Self.value(depth: 5, &generator)
      #expect(try JSONValue(parsing: value.serialized()) == value, "seed \(seed), round \(round)")
      #expect(try JSONValue(parsing: value.indented()) == value, "seed \(seed), round \(round)")
    }
  }

  @Test func `every beginning of a document is refused, or is a document`() throws {
    let whole = Array(#"{"a":[1,-2.5e3,true,null,"\u00e9\uD83D\uDE00"],"b":{"c":""}}"#.utf8)
    for count in 0..<whole.count {
      #expect(throws: GridError(.undecodable, "")) { try JSONValue(parsing: Array(whole.prefix(count))) }
    }
    #expect(try JSONValue(parsing: whole)["b"]?["c"] == "")
  }

  // MARK: Making documents

  private static func value(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0...(depth > 0 ? 8 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2: return .integer(Int64(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0...63, using: &generator)))
    case 3: return number(&generator)
    case 4, 5: return .string(text(&generator))
    case 6, 7:
      let count = Int.random(in: 0...4, using: &generator)
      return .array((0..<count).map { _ in value(depth: depth - 1, &generator) })
    default:
      var members: [String: JSONValue] = [:]
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        members[text(&generator)] = value(depth: depth - 1, &generator)
      }
      return .object(members)
    }
  }

  /// Any finite number that is not written like an integer.
  private static func number(_ generator: inout SeededGenerator) -> JSONValue {
    let number = Double(bitPattern: generator.next())
    return .number(number.isFinite ? number : 0.5)
  }

  private static func text(_ generator: inout SeededGenerator) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let limit = [0x20, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF].randomElement(using: &generator) ?? 0x7F
      text.append(UnicodeScalar(UInt32.random(in: 0...UInt32(limit), using: &generator)) ?? "\u{FFFD}")
    }
    return String(text)
  }

  private static func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0...4, using: &generator) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
    case 3: bytes.removeSubrange(place...)
    default: bytes.insert(contentsOf: bytes[place...].prefix(8), at: place)
    }
  }
}
