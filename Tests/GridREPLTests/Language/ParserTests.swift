import GridCore
import Testing

@testable import GridREPL

@Suite struct ParserTests {
  /// The words of a single command, with variables as they were written.
  private func words(_ text: String) throws -> [String] {
    let statements = try Parser.parse(text)
    #expect(statements.count == 1)
    guard case .pipeline(let pipeline)? = statements.first, case .command(let words)? = pipeline.stages.first else {
      return []
    }
    return words.map(\.sourceText)
  }

  @Test(arguments: [
    ("ask orders-7 -m Status", ["ask", "orders-7", "-m", "Status"]),
    ("  peers   # all of them", ["peers"]),
    ("tell a#b x", ["tell", "a#b", "x"]),
    ("tell x 'one two'", ["tell", "x", "one two"]),
    ("tell x \"a \\\"b\\\" \\n\"", ["tell", "x", "a \"b\" \n"]),
    ("tell x one\\ two", ["tell", "x", "one two"]),
    ("tell x ''", ["tell", "x", ""]),
    ("tell x {\"a\": [1, 2]}", ["tell", "x", "{\"a\": [1, 2]}"]),
    ("tell x {\"a\": \"}\"}", ["tell", "x", "{\"a\": \"}\"}"]),
    ("tell x {\"a\":\n 1}", ["tell", "x", "{\"a\":\n 1}"]),
    ("wait peers>=4", ["wait", "peers>=4"]),
    ("tell x a&b", ["tell", "x", "a&b"]),
    ("tell x $5.total", ["tell", "x", "$5.total"]),
    ("tell x a\\\n b", ["tell", "x", "a", "b"]),
  ])
  func wordsAreReadAsTyped(_ text: String, _ expected: [String]) throws { #expect(try words(text) == expected) }

  @Test(arguments: [
    "tell x 'half", "tell x \"half", "tell x {\"a\": [1,", "tell x {\"a\": \"b", "actors |>", "actors |", "let x =",
    "if $? == 0", "if $? == 0; peers", "if 1 == 1; peers; else; kinds", "for x in actors", "for x in actors; $x",
    "tell x \\", "let x = (1 ==", "actors | grep 'a", "if (1",
  ])
  func whatMayStillBeCompletedAsksForMore(_ text: String) {
    #expect(throws: Unfinished.self, "\(text)") { try Parser.parse(text) }
  }

  @Test(arguments: [
    ("let = 5", "a name is missing after let", 4), ("let 5 = 5", "a name is missing after let", 4),
    ("let x 5", "= is missing after let x", 6), ("actors |> every {}", "only each can follow |>", 10),
    ("actors |> each -P 0 x", "-P needs a number from 1 to 64", 15), ("end", "end without if or for", 0),
    ("tell x }]", "", -1), ("tell x [}", "} closes nothing", 8), ("watch -n soon peers", "-n needs a duration", 9),
    ("watch --sometimes peers", "watch does not know --sometimes", 6), ("| cat", "| is not expected here", 0),
    ("peers >", "a file is missing after >", 6), (": quit", "a name is missing after :", 1),
    ("if total == 5; peers; end", "total is no value", 3),
    ("if len() == 5; peers; end", "len takes 1 values, not 0", 3),
    ("for 5 in x; y; end", "a name is missing after for", 4), ("for x of y; z; end", "in is missing after for x", 6),
    ("for x in 1 two 3; y; end", "two is no value", 11), ("for x in 'a' b; y; end", "b is no value", 13),
    ("let x = 1 2", "2 is not expected here", 10), ("tell x ${", "", -1),
    ("tell x ${}", "a variable's name is missing", 7),
    ("$x[1.5]", "an index is a whole number", 2),
  ])
  func faultsAreNamedWithTheirPlace(_ text: String, _ message: String, _ place: Int) {
    do {
      _ = try Parser.parse(text)
      #expect(place < 0, "\(text) has been read")
    } catch let error as SyntaxError {
      #expect(error.message.hasPrefix(message), "\(text): \(error.message)")
      if place >= 0 { #expect(error.range.lowerBound == place, "\(text)") }
    } catch {
      #expect(place < 0, "\(text): \(error)")
    }
  }

  @Test func pipelinesKnowTheirStagesAndTarget() throws {
    guard
      case .pipeline(let pipeline)? = try Parser.parse("actors |> each -P 8 ask {} |> each stop {} | sort > f; ").first
    else { return #expect(Bool(false), "no pipeline") }
    #expect(pipeline.stages.count == 3)
    guard case .each(let parallel, _) = pipeline.stages[1] else { return #expect(Bool(false), "no each") }
    #expect(parallel == 8)
    #expect(pipeline.target == .shell("sort > f"))
    #expect(!pipeline.isBackground)
  }

  @Test(
    arguments: [
      ("for x in 1 2 3; y; end", 3), ("for x in 'a' \"b $n\" $c; y; end", 3), ("for x in [1] {\"a\": 2}; y; end", 2),
      ("for x in true null -1.5\ny\nend", 3), ("for x in [1, 2, 3]; y; end", nil), ("for x in $list; y; end", nil),
      ("for x in (1 == 1) false; y; end", 2),
    ] as [(String, Int?)])
  func severalValuesAreAList(_ text: String, _ count: Int?) throws {
    guard case .loop(_, let source, _)? = try Parser.parse(text).first, case .value(let value)? = source.stages.first
    else { return #expect(Bool(false), "no loop over a value") }
    if case .list(let values) = value { #expect(values.count == count) } else { #expect(count == nil) }
  }

  @Test(arguments: [
    ("peers | awk '{print $1; }'", "awk '{print $1; }'"), ("peers | a \"x;y\" z; kinds", "a \"x;y\" z"),
    ("peers | (a; b)", "(a; b)"), ("peers | a && b", "a && b"), ("peers | a \\; b", "a \\; b"),
    ("peers | sleep 1 &", "sleep 1"), ("peers | a 2>&1", "a 2>&1"),
  ])
  func theShellsPartIsLeftToTheShell(_ text: String, _ expected: String) throws {
    guard case .pipeline(let pipeline)? = try Parser.parse(text).first else { return #expect(Bool(false)) }
    #expect(pipeline.target == .shell(expected))
    #expect(pipeline.isBackground == text.hasSuffix("&"))
  }

  @Test func statementsStandBesideEachOther() throws {
    let statements = try Parser.parse("peers; let x = 5\n!echo a; echo b\n:events off; if $x == 5; kinds; end # done")
    #expect(statements.count == 5)
    guard case .shell("echo a; echo b") = statements[2] else { return #expect(Bool(false), "the shell takes its line") }
    guard case .colon(name: "events", let words) = statements[3] else { return #expect(Bool(false)) }
    #expect(words.map(\.plainText) == ["off"])
    guard case .choice(_, let then, let otherwise) = statements[4] else { return #expect(Bool(false)) }
    #expect(then.count == 1 && otherwise.isEmpty)
  }

  @Test func deepNestingIsRefusedNotFollowed() {
    let deep = String(repeating: "if 1 == 1; ", count: 100)
    #expect(throws: SyntaxError.self) { try Parser.parse(deep) }
    #expect(throws: SyntaxError.self) { try Parser.parse("($x" + String(repeating: " == ($x", count: 5000)) }
    #expect(throws: (any Error).self) { try Parser.parse("tell x " + String(repeating: "[", count: 5000)) }
  }

  @Test(arguments: [" or ", " and ", "||"])
  func moreConditionsThanAnybodyWritesAreRefused(sign: String) throws {
    func joined(_ count: Int) -> String { repeatElement("$a", count: count).joined(separator: sign) }
    _ = try Parser.expression(joined(256))
    #expect(throws: SyntaxError.self) { try Parser.expression(joined(100_000)) }
  }

  @Test func noTextTrapsTheParser() {
    var generator = SeededGenerator(seed: 7)
    let alphabet = Array("ab $?!_1.[]{}()'\"\\|&>;#\n:=-P,<~é")
    for _ in 0..<20_000 {
      let length = Int.random(in: 0..<24, using: &generator)
      let text = String((0..<length).map { _ in alphabet.randomElement(using: &generator) ?? " " })
      for prefix in ["", "if ", "let x = ", "for y in ", "watch --until ", "actors |> each "] {
        _ = try? Parser.parse(prefix + text)
      }
      _ = CompletionSpot(before: text, word: String(text.prefix(3)))
      _ = HistoryFilter.keeps(text, after: nil)
      _ = SourceMark.lines(text, 3..<9)
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood, “Fast splittable pseudorandom number generators”, 2014).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
