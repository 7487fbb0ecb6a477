/// Lays out what is known of one thing: a line `key:   value` each. On a terminal a value that is too long for its line
/// goes on below itself, so that nothing of it is lost. Pure.
struct KeyValueLayout {
  /// Terminal cells a line may take; nil when nobody's terminal is at the end.
  var limit: Int?
  var usesColor: Bool

  /// Narrower than this a value is not broken: the terminal does it.
  private static let narrowest = 16

  /// - Parameter members: with an empty key for what belongs to the one above; values as they came; what a terminal
  ///   would act on is escaped.
  func text(_ members: [(key: String, value: String, style: TextStyle)]) -> String {
    let keys = members.map { $0.key.isEmpty ? "" : TerminalText.printable($0.key) + ":" }
    let width = keys.reduce(0) { max($0, TerminalText.width($1)) } + TableLayout.gap
    return zip(keys, members).reduce(into: "") { text, pair in
      let (key, member) = pair
      let room = limit.map { $0 - width } ?? .max
      let value = TerminalText.printable(member.value)
      let lines = room < Self.narrowest ? [value] : TextWrapping.lines(value, width: room)
      let lead = (usesColor ? TextStyle.strong.applied(to: key) : key) + Self.blanks(width - TerminalText.width(key))
      for (index, line) in lines.enumerated() {
        let shown = usesColor && !line.isEmpty ? member.style.applied(to: line) : line
        text += (index == 0 ? lead : Self.blanks(width)) + shown
        while text.last == " " { text.removeLast() }
        text += "\n"
      }
    }
  }

  private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}

/// Breaks text into lines of at most so many terminal cells. Pure.
enum TextWrapping {
  /// At blanks where there are some, within a word where it is longer than a line. At least one line.
  static func lines(_ text: String, width: Int) -> [String] {
    guard width > 0, TerminalText.width(text) > width else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      let joined = line.isEmpty ? word : line + " " + word
      if TerminalText.width(joined) <= width {
        line = joined
        continue
      }
      if !line.isEmpty { lines.append(line) }
      var rest = word[...]
      while TerminalText.width(String(rest)) > width {
        let part = TerminalText.prefix(rest, width)
        // A character that is wider than a line has one of its own.
        lines.append(part.isEmpty ? String(rest.prefix(1)) : part)
        rest = rest.dropFirst(max(1, part.count))
      }
      line = String(rest)
    }
    return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
  }
}
