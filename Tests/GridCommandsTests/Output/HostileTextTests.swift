import Foundation
import GridCore
import Testing

@testable internal import GridCommands

/// Text that would drive a terminal or hide what stands there.
enum HostileText {
  /// By what they do.
  static let samples: [(name: String, text: String)] = [
    ("colour", "a\u{1B}[31mb"), ("title", "a\u{1B}]0;evil\u{7}b"), ("eight-bit control", "a\u{9B}31mb"),
    ("backspace", "safe\u{8}\u{8}evil"), ("carriage return", "long text\rshort"), ("delete", "a\u{7F}b"),
    ("next line", "a\u{85}b"), ("override", "a\u{202E}b\u{202C}c"), ("embedding", "a\u{202A}\u{202B}\u{202D}b"),
    ("isolates", "a\u{2066}b\u{2067}c\u{2068}d\u{2069}e"), ("marks", "a\u{200E}b\u{200F}c\u{61C}d"),
    ("separators", "a\u{2028}b\u{2029}c"), ("zero width", "pay\u{200B}pal"), ("joiners", "pay\u{200D}pa\u{200C}l"),
    ("byte order mark", "\u{FEFF}a"), ("soft hyphen", "pay\u{AD}pal"), ("word joiner", "a\u{2060}b"),
    ("filler", "a\u{3164}b\u{115F}c"), ("tag", "a\u{E0041}b"), ("annotation", "a\u{FFF9}b\u{FFFB}c"),
  ]

  /// All of it in one line.
  static let all = samples.map(\.text).joined(separator: " ")

  /// What of a text a terminal would act on, or must not show as it is; line feeds and tabs are fine.
  static func faults(in text: String) -> [UnicodeScalar] {
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.filter { index in
      let scalar = scalars[index]
      if scalar == "\n" || scalar == "\t" { return false }
      if scalar.value == 0x200C || scalar.value == 0x200D {
        let isBetween = index > 0 && index + 1 < scalars.count
        return !isBetween || scalars[index - 1].isASCII || scalars[index + 1].isASCII
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
      default: return scalar == "\u{FFFD}" || scalar.value == 0x3164 || scalar.value == 0x115F
      }
    }.map { scalars[$0] }
  }
}

@Suite struct HostileTextTests {
  @Test(arguments: HostileText.samples)
  func `nothing hostile comes through any form of text`(_ name: String, _ text: String) throws {
    let value: JSONValue = ["k": .string(text), "\(text)": 1]
    let forms = [
      TerminalText.printable(text), TerminalText.lines(text), TerminalText.lines(Array(text.utf8)),
      TerminalText.tabSeparated(text), TerminalText.json(value.text), TerminalText.json(value.indented()),
      YAMLEmitter.document(value),
    ]
    for form in forms { #expect(HostileText.faults(in: form) == [], "\(name): \(form)") }
    #expect(!TerminalText.printable(text).contains("\n"))
    // Escapes of JSON keep the value.
    #expect(try JSONValue(parsing: TerminalText.json(value.text)) == value)
  }

  @Test(arguments: ["plain é 日本", "👩‍👩‍👧 ❤️‍🔥 🇩🇪", "می‌خواهم", "क्‍ष", "e\u{301}", "שלום עולם"])
  func `what people write stays as it is`(_ text: String) {
    #expect(TerminalText.printable(text) == text)
    #expect(TerminalText.lines("\t\(text)\n") == "\t\(text)\n")
    #expect(TerminalText.json("\"\(text)\"") == "\"\(text)\"")
  }

  @Test func `bytes that are no text are told as bytes`() {
    #expect(TerminalText.lines([0x61, 0xFF, 0x62]) == #"a\xffb"#)
    #expect(TerminalText.lines([0xC3]) == #"\xc3"#)
    #expect(TerminalText.lines([0xE2, 0x82, 0x61, 0xF0, 0x9F, 0x98]) == #"\xe2\x82a\xf0\x9f\x98"#)
    #expect(TerminalText.lines([0xED, 0xA0, 0x80]) == #"\xed\xa0\x80"#)
    #expect(TerminalText.lines([0x1B, 0xFF, 0xC3, 0xA9]) == #"\u{1B}\xffé"#)
    #expect(TerminalText.lines([UInt8]()) == "")
  }

  @Test func `no shell is offered what its terminal would act on`() {
    let candidates = HostileText.samples.map { CompletionCandidate($0.text, detail: $0.text) }
    for shell in ShellAnswer.Shell.allCases {
      #expect(ShellAnswer.lines(candidates, for: shell, partial: "", wordBreaks: "", openQuote: nil) == [])
    }
    let described = HostileText.samples.map { CompletionCandidate("name", detail: $0.text) }
    for line in ShellAnswer.lines(described, for: .zsh, partial: "", wordBreaks: "", openQuote: nil) {
      #expect(HostileText.faults(in: line) == [], "\(line)")
    }
  }
}
