internal import GridClient
internal import GridCommands
internal import GridCore

/// Finishes words as the shells' completion does, with the names that the session knows.
struct EngineCompleter: LineCompleter {
  /// Built when it is first needed: a script never does.
  private static let engine = CompletionEngine(tree: .gridctl)

  let index: LiveNames
  let contexts: @Sendable () -> [String]

  func candidates(after words: [String], prefix: String) -> [Candidate] {
    let plan = Self.engine.plan(words: words, partial: prefix)
    if plan.wantsFiles {
      let files = FileCompleter.candidates(plan.partialValue)
      return files.map { Candidate(text: plan.lead + $0.text, isWhole: $0.isWhole) }
    }
    let candidates = plan.candidates { noun in
      (noun.live.map { index.names($0, prefix: plan.partialValue) } ?? contexts()).map { CompletionName($0) }
    }
    return candidates.map { Candidate(text: $0.text, isWhole: $0.isComplete) }
  }
}
