internal import GridCommands
internal import GridCore

/// Finishes verbs from the command tree, and names from the index.
struct TreeCompleter: LineCompleter {
  let index: NameIndex

  func candidates(after words: [String], prefix: String) -> [Candidate] {
    let below = CommandTree.commands(below: words)
    if !below.isEmpty { return below.map(\.name).filter { $0.hasPrefix(prefix) }.map { Candidate(text: $0) } }
    if prefix.hasPrefix("-") { return [] }
    return index.names(Self.noun(words), prefix: prefix).map { Candidate(text: $0) }
  }

  private static func noun(_ words: [String]) -> NameIndex.Noun {
    switch (words.first, words.last) {
    case (_, "--on"), (_, "--node"), (_, "--from"), ("node", _): .node
    case (_, "--kind"): .kind
    case ("spawn", _) where words.count == 1: .kind
    case ("leader", _): .leader
    default: .actor
    }
  }
}
