package import GridClient
internal import GridCore

/// Something whose names live outside the command tree.
///
/// A value of the command line belongs to one of these by its placeholder in the help (`NODE`, `ACTOR`, …), so that a
/// new option completes without saying anything more.
package enum CompletionNoun: String, CaseIterable, Sendable {
  case actor, node, kind, context, leader, token
  case deadLetter = "dead-letter"

  /// What the cluster is asked for; nil for what it does not know of.
  package var live: LiveName.Noun? {
    switch self {
    case .actor: .actor
    case .node: .node
    case .kind: .kind
    case .context: nil
    case .leader: .leader
    case .deadLetter: .deadLetter
    case .token: .token
    }
  }
}

/// A name that exists now, and what is worth knowing of it.
package struct CompletionName: Sendable, Hashable {
  package var name: String
  /// A few words for shells that show them: `exec on n2`.
  package var detail: String

  package init(_ name: String, detail: String = "") {
    self.name = name
    self.detail = detail
  }
}

/// One thing that could stand at the cursor.
package struct CompletionCandidate: Sendable, Hashable {
  /// The whole word, not quoted for any shell. It never has a control character.
  package var text: String
  package var detail: String
  /// Whether the word is complete, so that a space may follow; not so for `--output=` or a directory.
  package var isComplete: Bool

  package init(_ text: String, detail: String = "", isComplete: Bool = true) {
    self.text = text
    self.detail = detail
    self.isComplete = isComplete
  }
}

/// Says what could stand at the cursor of a command line. Pure: everything that is known comes in as values.
///
/// The shells' `gridctl __complete` and the REPL use it in the same way:
///
/// ```swift
/// let engine = CompletionEngine(tree: .gridctl)            // once; the tree is some hundred kilobytes
/// let plan = engine.plan(words: ["ask"], partial: "or")    // words before the cursor without "gridctl"
/// plan.nouns                                               // what has to be known: [.actor]
/// let candidates = plan.candidates { noun in index.names(of: noun) }
/// ```
///
/// `words` and `partial` have no quotes and escapes any more; ``ShellWords`` takes those off a line.
package struct CompletionEngine: Sendable {
  private let tree: CommandTree

  package init(tree: CommandTree) { self.tree = tree }

  /// What belongs at the cursor.
  ///
  /// - Parameters:
  ///   - words: the complete words before the cursor, without the program's own name.
  ///   - partial: the start of the word at the cursor; empty after a space.
  package func plan(words: [String], partial: String) -> CompletionPlan {
    var walk = CompletionWalk(tree: tree)
    for word in words { walk.take(word) }
    return walk.plan(partial: partial)
  }

  /// The candidates at the cursor, where all names are known already.
  package func candidates(
    words: [String], partial: String, names: (CompletionNoun) -> [CompletionName]
  ) -> [CompletionCandidate] {
    plan(words: words, partial: partial).candidates(names: names)
  }
}

/// What belongs at the cursor: words of the command tree, and which names have to be looked up.
package struct CompletionPlan: Sendable {
  /// What the command tree itself offers.
  var fixed: [CompletionCandidate] = []
  /// Whose names belong here.
  package var nouns: [CompletionNoun] = []
  /// Whether a file's name belongs here; the caller lists files, beginning with ``partialValue``.
  package var wantsFiles = false
  /// What stands before the value in the same word and must stay: `--output=`, `@`, `actor/`.
  package var lead = ""
  /// The part of the value that has been typed.
  package var partialValue = ""
  /// Names that the line has already, which are not offered again.
  var used: Set<String> = []

  /// All candidates that begin with what was typed, in the order they are offered; the tree's own first.
  ///
  /// Names come from other machines: those outside the name grammar are dropped.
  package func candidates(names: (CompletionNoun) -> [CompletionName]) -> [CompletionCandidate] {
    var result = fixed
    for noun in nouns {
      result += names(noun).filter { NameRules.isValid($0.name) && !used.contains($0.name) }
        .sorted { $0.name < $1.name }
        .map { CompletionCandidate($0.name, detail: Self.printable($0.detail)) }
    }
    var seen: Set<String> = []
    return result.filter { $0.text.hasPrefix(partialValue) && seen.insert($0.text).inserted }
      .map { CompletionCandidate(lead + $0.text, detail: $0.detail, isComplete: $0.isComplete) }
  }

  private static func printable(_ text: String) -> String { TerminalText.printable(text) }
}
