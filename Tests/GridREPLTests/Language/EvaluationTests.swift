import GridCore
import Testing

@testable import GridREPL

@Suite struct EvaluationTests {
  private static var values: SessionValues {
    var values = SessionValues()
    values.bind("r", to: SessionValue(["total": 912, "items": [["name": "a"], ["name": "b"]], "text": "say \"hi\""]))
    values.bind("n", to: SessionValue(5))
    values.bind("none", to: SessionValue(.null))
    values.keep(
      SessionValue(
        [
          "items": [
            ["name": "n1", "status": "alive"], ["name": "n2", "status": "dead"], ["name": "n3", "status": "alive"],
          ]
        ]))
    values.code = 67
    values.fail(["code": 67, "message": "no actor"])
    return values
  }

  private func argument(_ text: String, row: JSONValue? = nil) throws -> String {
    var scanner = Scanner(text)
    let word = try #require(try scanner.word())
    return try Evaluation(values: Self.values, row: row).text(of: word)
  }

  @Test(arguments: [
    ("$r.total", "912"), ("$r.items[0].name", "a"), ("$r.items[-1].name", "b"), ("$r[\"total\"]", "912"),
    ("${r.total}x", "912x"), ("a$n", "a5"), ("$?", "67"), ("$!.message", "no actor"), ("$_.alive", "2"),
    ("$_.dead", "1"), ("$_.left", "0"), ("$1.items[1].name", "n2"), ("$_[2].name", "n3"), ("$r.missing.deeper", "null"),
    ("$$n", "$n"), ("$", "$"), ("a$-", "a$-"), ("\"$n and $r.total\"", "5 and 912"), ("'$n'", "$n"),
    ("'$unknown stays'", "$unknown stays"), ("\"\\$n\"", "$n"), ("$r.items[9]", "null"), ("$none", "null"),
    ("'{\"seen\": $r.total}'", "{\"seen\": $r.total}"), ("'$$ $(x) \\'", "$$ $(x) \\"), ("'$n'$n", "$n5"),
    ("'a'\"$n\"'$n'", "a5$n"), ("{\"seen\": $r.total}", "{\"seen\": 912}"),
    ("{\"a\":$r.text}", "{\"a\":\"say \\\"hi\\\"\"}"),
    ("{\"a\":\"it: $r.text\"}", "{\"a\":\"it: say \\\"hi\\\"\"}"), ("[$n,$r.total]", "[5,912]"),
    ("{\"all\":$r.items}", "{\"all\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"), ("$r.text", "say \"hi\""),
  ])
  func variablesBecomeText(_ text: String, _ expected: String) throws { #expect(try argument(text) == expected) }

  @Test(arguments: [
    ("{}", "orders-7"), ("{.node}", "n2"), ("job-{}", "job-orders-7"), ("{.tags[0]}", "x"),
    ("'{\"id\":{.name}}'", "{\"id\":\"orders-7\"}"),
    ("{\"n\": {.size}}", "{\"n\": 3}"), ("{.missing}", "null"), ("{x}", "{x}"), ("\"{.name}: $n\"", "orders-7: 5"),
  ])
  func rowsBecomeText(_ text: String, _ expected: String) throws {
    let row: JSONValue = ["name": "orders-7", "node": "n2", "tags": ["x"], "size": 3]
    #expect(try argument(text, row: row) == expected)
  }

  @Test func aValueIsOneArgumentWhateverItIs() throws {
    var values = SessionValues()
    values.bind("evil", to: SessionValue("a b; stop everything | sh '$(x)'"))
    let words = try Parser.parse("tell x $evil")
    guard case .pipeline(let pipeline)? = words.first, case .command(let typed)? = pipeline.stages.first else { return }
    #expect(
      try Evaluation(values: values).arguments(typed) == ["tell", "x", "a b; stop everything | sh '$(x)'"])
  }

  @Test(arguments: [
    ("$? == 67", true), ("$? != 0", true), ("$n < 10 and $n > 4", true), ("$n <= 5 && $n >= 5", true),
    ("not $n", false), ("!$none", true), ("$none == null", true), ("len($r.items) == 2", true), ("len($_) == 3", true),
    ("$r.items[0].name == 'a'", true), ("'5' == $n", true), ("'a' < 'b'", true), ("'a' < 5", false),
    ("contains($r.items, {\"name\": \"a\"})", true), ("contains('hello', 'ell')", true),
    ("contains($r, 'total')", true),
    ("matches('orders-7', 'orders-*')", true), ("matches('audit', 'orders-*')", false), ("($n == 5) or false", true),
    ("false or false", false), ("true and (false or true)", true), ("$_.alive==2", true), ("1.5 > 1", true),
    ("-1 < 0", true), ("'$n' == 5", false), ("matches('$n', '$*')", true),
    ("[1] == [1]", true), ("$r.total", true), ("''", false), ("not not true", true), ("\"$n\" == 5", true),
  ])
  func expressionsHold(_ text: String, _ expected: Bool) throws {
    let expression = try Parser.expression(text)
    #expect(try Evaluation(values: Self.values).isTrue(expression) == expected, "\(text)")
  }

  @Test(arguments: ["$unknown", "$r.total == $totl", "$7", "len($nothing)"])
  func whatIsNotBoundIsAnError(_ text: String) throws {
    let expression = try Parser.expression(text)
    #expect(throws: GridError.self) { try Evaluation(values: Self.values).value(of: expression) }
  }

  @Test func oldResultsAreForgottenByNumber() {
    var values = SessionValues()
    for number in 1...150 { values.keep(SessionValue(.integer(Int64(number)))) }
    #expect(values.value(of: Reference(name: "50")) == nil)
    #expect(values.value(of: Reference(name: "51"))?.json == 51)
    #expect(values.value(of: Reference(name: "150"))?.json == 150)
    #expect(values.value(of: Reference(name: "151")) == nil)
    #expect(values.missing(Reference(name: "7")).hint == "kept are $51…$150")
  }

  @Test func namesOfRowsComeFromTheirList() {
    #expect(SessionValue.name(of: ["id": "7", "name": "x"], nameField: "id") == "7")
    #expect(SessionValue.name(of: ["id": "7"], nameField: nil) == "7")
    #expect(SessionValue.name(of: "text", nameField: nil) == "text")
    #expect(SessionValue.name(of: 5, nameField: "id") == "5")
    #expect(SessionValue(["items": [1, 2]]).rows == [1, 2])
    #expect(SessionValue([1, 2]).rows == [1, 2])
    #expect(SessionValue(.null).rows == [])
    #expect(SessionValue("x").rows == ["x"])
  }
}
