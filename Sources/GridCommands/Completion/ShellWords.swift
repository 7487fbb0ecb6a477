/// A command line up to the cursor, divided into words as a POSIX shell divides it. Pure; expands nothing.
package struct ShellWords: Sendable, Equatable {
  /// The complete words, without quotes and escapes.
  package private(set) var words: [String] = []
  /// The word at the cursor, as far as it is typed; empty after a space.
  package private(set) var partial = ""
  /// Where ``partial`` begins in the line, in characters.
  package private(set) var partialStart = 0
  /// The quote that is open at the cursor: `"`, `'`, or nil.
  package private(set) var openQuote: Character?

  /// - Parameter line: what stands before the cursor. Of several commands (`a; b`, `a | b`) the last one is divided.
  package init(_ line: String) {
    var hasWord = false
    var isEscaped = false
    for (index, character) in line.enumerated() {
      if isEscaped {
        // Inside double quotes a backslash stays, but before what it can take the meaning from.
        if openQuote == "\"", !"$`\"\\".contains(character) { partial.append("\\") }
        partial.append(character)
        isEscaped = false
      } else if let quote = openQuote {
        if character == quote {
          openQuote = nil
        } else if character == "\\", quote == "\"" {
          isEscaped = true
        } else {
          partial.append(character)
        }
      } else if character.isWhitespace || ";|&".contains(character) {
        if hasWord { words.append(partial) }
        if !character.isWhitespace { words.removeAll() }
        (partial, hasWord) = ("", false)
      } else {
        if !hasWord { partialStart = index }
        hasWord = true
        switch character {
        case "\\": isEscaped = true
        case "\"", "'": openQuote = character
        default: partial.append(character)
        }
      }
    }
    if !hasWord { partialStart = line.count }
  }
}

/// Quoting for shells.
enum ShellQuoting {
  /// The word with a backslash before everything that a shell might act on.
  ///
  /// Backslashes, not quotes: the start of the word may be on the line already. nil for what cannot be written so: a
  /// word with a control character.
  static func escaped(_ word: String) -> String? {
    // A home directory that the user began with stays one.
    var result = word.hasPrefix("~/") ? "~" : ""
    for scalar in word.unicodeScalars.dropFirst(result.count) {
      if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) { return nil }
      if scalar.isASCII, !isHarmless(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  /// Words as they would be typed: with blanks between, in single quotes where a shell would read them otherwise.
  static func line(_ words: [String]) -> String {
    words.map { word in
      if !word.isEmpty, word.unicodeScalars.allSatisfy(isHarmless) { return word }
      return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }.joined(separator: " ")
  }

  private static func isHarmless(_ scalar: UnicodeScalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "=", "@", "%", "+", ",": true
    default: false
    }
  }
}
