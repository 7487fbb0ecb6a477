internal import GridCore
internal import Testing

@Suite struct DeadLetterIdentifierTests {
  private static let alphabet = Set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

  @Test func `an identifier has the form of a ULID and begins with its time`() {
    var identifiers = DeadLetterIdentifier(generator: SeededGenerator(seed: 1))
    // The example of the specification: 1469918176385 is written 01ARYZ6S41.
    let identifier = identifiers.next(at: CalendarTime(millisecondsSince1970: 1_469_918_176_385))
    #expect(identifier.hasPrefix("01ARYZ6S41"))
    #expect(identifier.count == 26)
    #expect(identifier.allSatisfy { Self.alphabet.contains($0) })
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `each is larger than all before it, even when the clock steps back`(_ seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    var identifiers = DeadLetterIdentifier(generator: SeededGenerator(seed: seed &+ 1000))
    var now: Int64 = 1_700_000_000_000
    var last = ""
    for round in 0..<5000 {
      // Mostly the same millisecond, sometimes forwards, sometimes an hour back.
      switch Int.random(in: 0...9, using: &dice) {
      case 0: now += Int64.random(in: 1...1000, using: &dice)
      case 1: now -= Int64.random(in: 1...3_600_000, using: &dice)
      default: break
      }
      let next = identifiers.next(at: CalendarTime(millisecondsSince1970: now))
      if next <= last || next.count != 26 { Issue.record("seed \(seed), round \(round): \(next) after \(last)") }
      last = next
    }
  }

  /// Gives nothing but ones: the worst start for counting up.
  private struct AllOnes: RandomNumberGenerator, Sendable {
    mutating func next() -> UInt64 { .max }
  }

  @Test func `counting up within a millisecond carries over`() {
    var identifiers = DeadLetterIdentifier(generator: AllOnes())
    let time = CalendarTime(millisecondsSince1970: 1_700_000_000_000)
    let all = (0..<1000).map { _ in identifiers.next(at: time) }
    #expect(all == all.sorted())
    #expect(Set(all).count == 1000)
    #expect(Set(all.map { $0.prefix(10) }).count == 1, "the time part stays as it is")
  }

  @Test func `nodes that make identifiers in the same millisecond do not meet`() {
    let time = CalendarTime(millisecondsSince1970: 1_700_000_000_000)
    var all: Set<String> = []
    for node in 0..<1000 as Range<UInt64> {
      var identifiers = DeadLetterIdentifier(generator: SeededGenerator(seed: node))
      for _ in 0..<10 { all.insert(identifiers.next(at: time)) }
    }
    #expect(all.count == 10_000)
  }

  @Test(arguments: [Int64.min, -1, 0, 1 << 48, .max])
  func `a clock that is far off makes identifiers all the same`(_ milliseconds: Int64) {
    var identifiers = DeadLetterIdentifier(generator: SeededGenerator(seed: 1))
    let time = CalendarTime(millisecondsSince1970: milliseconds)
    let all = (0..<100).map { _ in identifiers.next(at: time) }
    #expect(all == all.sorted() && Set(all).count == 100)
    #expect(all.allSatisfy { $0.count == 26 })
  }
}

extension DeadLetterIdentifierTests {
  @Test func `order is kept on a clock before 1970 and beyond 48 bits`() {
    var identifiers = DeadLetterIdentifier(generator: SeededGenerator(seed: 1))
    let times: [Int64] = Array(-500..<0) + [0, 1] + (0..<500).map { (1 << 48) + $0 }
    let all = times.map { identifiers.next(at: CalendarTime(millisecondsSince1970: $0)) }
    #expect(all == all.sorted() && Set(all).count == all.count)
  }
}

@Suite struct Base64Tests {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `the vectors of RFC 4648`(_ plain: String, _ encoded: String) {
    #expect(Base64.encoded(Array(plain.utf8)) == encoded)
    #expect(Base64.decoded(encoded) == Array(plain.utf8))
  }

  @Test func `all symbols`() {
    let symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    #expect(Base64.decoded(symbols).map { Base64.encoded($0) } == symbols)
    #expect(Base64.encoded([0xFB, 0xFF]) == "+/8=")
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zg==Zg==", "=Zg=", "Z=g=", "Zm8=\n", " Zm8", "Zm-v", "Zm_v", "Zm9v!",
    "Zéé",
    "Zm\u{0}8",
  ])
  func `what is not base 64 is nil`(_ text: String) {
    #expect(Base64.decoded(text) == nil)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `random bytes come back`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(Base64.decoded(Base64.encoded(bytes)) == bytes, "seed \(seed), \(count) bytes")
    }
  }
}
