/// Writes the mdoc(7) language.
struct ManualText {
  /// The date of the pages: the day the texts were last worth reading again, not the day they were made.
  static let date = "November 21, 2026"

  private(set) var text = ""

  init(title: String, section: Int, name: String, abstract: String) {
    line(".Dd \(Self.date)")
    line(".Dt \(title.uppercased()) \(section)")
    line(".Os")
    self.section("NAME")
    line(".Nm \(name)")
    line(".Nd \(Self.sentence(abstract))")
  }

  mutating func line(_ line: String) { text += line + "\n" }

  mutating func section(_ title: String) { line(".Sh \(title)") }

  mutating func subsection(_ title: String) { line(".Ss \(title)") }

  /// A paragraph of running text.
  mutating func paragraph(_ words: String) {
    if !text.hasSuffix(".Pp\n"), !text.hasSuffix("\n.Sh \(lastTitle)\n"), !text.hasSuffix("\n.Ss \(lastTitle)\n") {
      line(".Pp")
    }
    flow(words)
  }

  /// Running text, a sentence a line as mdoc wants it.
  mutating func flow(_ words: String) {
    for sentence in Self.sentences(words) { line(Self.escaped(sentence)) }
  }

  /// Lines as they are.
  mutating func literal(_ lines: [String]) {
    line(".Bd -literal -offset indent")
    for content in lines { line(Self.escaped(content)) }
    line(".Ed")
  }

  /// What explains something, in its parts.
  mutating func blocks(_ blocks: HelpBlocks) {
    for block in blocks.blocks {
      switch block {
      case .paragraph(let text): paragraph(text)
      case .literal(let lines): literal(lines)
      }
    }
  }

  mutating func beginTags(width: String = "Ds") { line(".Bl -tag -width \(width)") }

  mutating func beginList() { line(".Bl -bullet") }

  mutating func endList() { line(".El") }

  private var lastTitle: String {
    text.split(separator: "\n").last.map { String($0.dropFirst(4)) } ?? ""
  }

  /// The text without what mdoc would act on.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "`": result += "\\(ga"
      case "'": result += "\\(aq"
      case "^": result += "\\(ha"
      case "~": result += "\\(ti"
      case "…": result += "..."
      case "−": result += "\\(mi"
      default:
        if character.isASCII {
          result.append(character)
        } else {
          for scalar in character.unicodeScalars {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            result += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
          }
        }
      }
    }
    // A line that begins with a point is a request.
    return result.hasPrefix(".") ? "\\&" + result : result
  }

  /// A word on a macro's line: quoted where it has spaces, and never a macro or a delimiter itself.
  static func argument(_ text: String) -> String {
    let escaped = Self.escaped(text)
    if text.contains(" ") || text.contains("\"") {
      return "\"" + escaped.replacing("\"", with: "\\(dq") + "\""
    }
    let needsGuard = text.count <= 3 || ".,:;()[]?!|".contains(text.first ?? " ")
    return needsGuard ? "\\&" + escaped : escaped
  }

  /// Without the point at its end, and beginning small, as in a list of pages.
  private static func sentence(_ text: String) -> String {
    let plain = text.hasSuffix(".") ? String(text.dropLast()) : text
    return escaped(plain.prefix(1).lowercased() + plain.dropFirst())
  }

  private static func sentences(_ text: String) -> [String] {
    var sentences: [String] = []
    var current = ""
    for word in text.split(whereSeparator: \.isWhitespace) {
      current += (current.isEmpty ? "" : " ") + word
      if let last = word.last, ".?!".contains(last) || word.hasSuffix(".)"), word.count > 2 {
        sentences.append(current)
        current = ""
      }
    }
    return current.isEmpty ? sentences : sentences + [current]
  }
}
