internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct TerminalTests {
  private static let rows: [JSONValue] = [["name": "orders-7", "kind": "日本語"], ["name": "x", "kind": "echo"]]
  private static let description = ListDescription(
    kind: "ActorList", noun: "actor",
    columns: [Column("NAME", style: { _ in .good }, field: "name"), Column("KIND", field: "kind")])

  private static func table(_ environment: [String: String], color: ColorMode = .auto) throws -> String {
    try Capture.output(.table, color: color, environment) { try $0.list(rows, description) }
  }

  @Test func `lines are cut on a terminal only`() throws {
    let whole = "NAME       KIND\norders-7   日本語\nx          echo\n"
    #expect(try Self.table(["COLUMNS": "14"]) == whole)
    #expect(try Self.table(["COLUMNS": "17", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]) == whole)
    #expect(
      try Self.table(["COLUMNS": "14", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"])
        == "NAME\norders-7\nx\n")
    #expect(try Self.table(["COLUMNS": "4", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]) == "NAME\no…-7\nx\n")
    #expect(try Self.table(["COLUMNS": "1", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"]) == "…\n…\nx\n")
  }

  @Test func `no line is ever wider than the terminal`() throws {
    for columns in 1...20 {
      let text = try Self.table(["COLUMNS": "\(columns)", "GRIDCTL_FORCE_TTY": "1", "NO_COLOR": "1"])
      for line in text.split(separator: "\n") { #expect(TerminalText.width(String(line)) <= columns) }
    }
  }

  @Test func `colour is where it is allowed and moves nothing`() throws {
    let plain = try Self.table([:])
    #expect(!plain.contains("\u{1B}"))
    let colored = try Self.table([:], color: .always)
    #expect(colored.contains("\u{1B}[32morders-7\u{1B}[0m   日本語\n"))
    let stripped = ["[1m", "[32m", "[0m"].reduce(colored) {
      $0.split(separator: "\u{1B}" + $1, omittingEmptySubsequences: false).joined()
    }
    #expect(stripped == plain)
  }

  @Test(arguments: [
    (ColorMode.auto, true, [:], true), (.auto, false, [:], false), (.auto, true, ["NO_COLOR": "1"], false),
    (.auto, true, ["NO_COLOR": ""], true), (.auto, true, ["TERM": "dumb"], false),
    (.auto, false, ["CLICOLOR_FORCE": "1"], true), (.auto, false, ["CLICOLOR_FORCE": "0"], false),
    (.auto, true, ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false), (.always, false, ["NO_COLOR": "1"], true),
    (.never, true, ["CLICOLOR_FORCE": "1"], false),
  ])
  func `colour follows the user the environment and the terminal`(
    mode: ColorMode, isTerminal: Bool, environment: [String: String], isAllowed: Bool
  ) {
    #expect(mode.allowsColor(isTerminal: isTerminal, environment: environment) == isAllowed)
  }

  @Test func `what a terminal acts on is escaped and what it shows is not`() {
    #expect(TerminalText.printable("plain é 日本 👩‍👩‍👧 \\") == "plain é 日本 👩‍👩‍👧 \\")
    #expect(
      TerminalText.printable("\u{1B}[2J\r\n\u{7F}\u{85}\u{2028}\u{FEFF}")
        == #"\u{1B}[2J\r\n\u{7F}\u{0085}\u{2028}\u{FEFF}"#)
    #expect(TerminalText.tabSeparated("a\tb\\") == #"a\tb\\"#)
    #expect(TerminalText.tabSeparated("a\r\nb") == #"a\r\nb"#)
  }

  @Test func `width is in cells of the terminal`() {
    let widths = [
      ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("ｶﾅ", 2), ("👍", 2), ("☂️", 2), ("한글", 4),
      ("\u{301}", 0),
    ]
    for (text, width) in widths { #expect(TerminalText.width(text) == width, "\(text)") }
    #expect(TerminalText.truncated("日本語", to: 4) == "日…")
    #expect(TerminalText.truncated("日本語", to: 6) == "日本語")
    #expect(TerminalText.truncated("abc", to: 0) == "")
  }
}
