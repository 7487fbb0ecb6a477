internal import GridCore

/// What `gridctl __complete` prints for a shell.
enum ShellAnswer {
  enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish
  }

  /// The lines for a shell.
  ///
  /// bash replaces the text after the last word break (`:` and `=` are such by default) with the line as it is, so that
  /// the part before is dropped and the rest is escaped. zsh and fish replace the word and quote it themselves; they
  /// get `value`, a tab, and what it is.
  static func lines(
    _ candidates: [CompletionCandidate], for shell: Shell, partial: String, wordBreaks: String, openQuote: Character?
  ) -> [String] {
    // The shell shows them as they are.
    let valid = candidates.filter { TerminalText.printable($0.text) == $0.text }
    guard shell == .bash else {
      return valid.map { candidate in
        let detail = candidate.detail.split(separator: "\n").first.map(String.init) ?? ""
        return candidate.text + "\t" + TerminalText.printable(detail.filter { $0 != "\t" })
      }
    }
    let kept = breakOffset(in: partial, wordBreaks)
    return valid.compactMap { candidate in
      let rest = String(candidate.text.dropFirst(kept))
      // Inside quotes bash inserts the text as it is: nothing that ends them or acts in them is offered.
      if openQuote != nil { return rest.allSatisfy { !"'\"$`\\!".contains($0) } ? rest : nil }
      return ShellQuoting.escaped(rest)
    }
  }

  /// How many characters of the word stand before what bash replaces.
  private static func breakOffset(in partial: String, _ wordBreaks: String) -> Int {
    let breaks = Set(wordBreaks).intersection([":", "="])
    guard let last = partial.lastIndex(where: { breaks.contains($0) }) else { return 0 }
    return partial.distance(from: partial.startIndex, to: last) + 1
  }
}
