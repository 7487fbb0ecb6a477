/// One way to finish the word that is being typed.
struct Candidate: Equatable, Hashable, Sendable {
  /// The whole word, quoted as it has to be typed.
  var text: String
  /// Whether the word ends here, so that a blank may follow.
  var isWhole = true
}

/// Finishes words. Answers at once from what is known.
protocol LineCompleter: Sendable {
  /// - Parameters:
  ///   - words: the command's words before the one that is typed.
  ///   - prefix: that word, up to the cursor, without quotes.
  func candidates(after words: [String], prefix: String) -> [Candidate]
}
