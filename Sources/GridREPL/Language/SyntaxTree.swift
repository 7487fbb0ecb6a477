internal import GridCommands
internal import GridCore

/// One thing a line says.
indirect enum Statement: Equatable, Sendable {
  /// A command, or several of which each works on the rows of the one before.
  case pipeline(Pipeline)
  /// `let NAME = …`
  case bind(name: String, Pipeline)
  /// `watch …`
  case watch(WatchOptions, Pipeline)
  /// `:NAME …`
  case colon(name: String, [Word])
  /// `!TEXT`, for the shell.
  case shell(String)
  /// `if … else … end`
  case choice(Expression, [Statement], otherwise: [Statement])
  /// `for NAME in … end`
  case loop(variable: String, Pipeline, [Statement])
}

/// Commands joined by `|>`, and where their output goes.
struct Pipeline: Equatable, Sendable {
  /// What makes rows, or works on them.
  enum Stage: Equatable, Sendable {
    case command([Word])
    /// A value by itself: `$r.items`.
    case value(Expression)
    /// `each [-P COUNT] …`: the command once a row, so many at a time.
    case each(parallel: Int, [Word])
  }

  /// Where the output goes instead of to the screen.
  enum Target: Equatable, Sendable {
    /// `| TEXT`, for the shell.
    case shell(String)
    /// `> FILE` or `>> FILE`.
    case file(Word, appends: Bool)
  }

  var stages: [Stage]
  /// The words of the first stage; none when it is a value.
  var words: [Word] { if case .command(let words) = stages.first { words } else { [] } }
  var target: Target?
  /// `&`
  var isBackground = false
  /// The text as typed, for lists of jobs.
  var text: String
}

/// `watch [-n DURATION] [-c COUNT] [-d] [--until EXPRESSION]`
struct WatchOptions: Equatable, Sendable {
  var interval = Duration.seconds(2)
  /// So many rounds at most.
  var count: Int?
  var marksChanges = false
  var until: Expression?
}

/// One argument, before its variables have values.
struct Word: Equatable, Sendable {
  /// How a part was written, which decides what a variable in it stands for.
  enum Quoting: Equatable, Sendable {
    case none, double
    /// Everything in it is text.
    case single
  }

  enum Piece: Equatable, Sendable {
    case text(String, Quoting)
    case variable(Reference, Quoting, source: String)
  }

  var pieces: [Piece]
  /// Where it stands in the text, in characters.
  var range: Range<Int>

  /// The text when it has no variables and was written without quotes.
  var bareText: String? {
    guard pieces.count == 1, case .text(let text, .none) = pieces[0] else { return nil }
    return text
  }
}

/// A variable and the way into its value: `$r.items[0].name`.
struct Reference: Equatable, Sendable {
  enum Step: Equatable, Sendable {
    case member(String)
    /// Counts from the end when negative.
    case element(Int)
  }

  /// The name without `$`: `r`, `_`, `?`, `!`, or a number.
  var name: String
  var path: [Step] = []
}

/// What `if`, `--until` and values are made of.
indirect enum Expression: Equatable, Sendable {
  case literal(JSONValue)
  case reference(Reference)
  /// A word in quotes or brackets, which may have variables.
  case word(Word)
  case call(String, [Expression])
  case not(Expression)
  case compare(ValueComparison, Expression, Expression)
  case and(Expression, Expression)
  case or(Expression, Expression)
  /// Several values, one after the other: what `for` goes through.
  case list([Expression])
}

/// What is wrong with a text, and where.
struct SyntaxError: Error, Equatable, Sendable {
  var message: String
  /// In characters of the text.
  var range: Range<Int>
  var hint: String?
}

/// Why a text has no end yet: what has to be closed.
struct Unfinished: Error, Equatable, Sendable {
  var expected: String
}
