internal import GridCommands
internal import GridCore

/// Words that mean something in a session only.
enum SessionWords {
  /// What may begin a line beside the commands of the tree.
  static let beginnings = ["clear", "echo", "exit", "for", "help", "if", "let", "quit", "watch"]

  /// Runs `help`, `echo`, `clear`, `exit` and `quit`; nil for a command of the tree.
  ///
  /// - Throws: ``GridError/Code/usage`` for a word that is no command.
  static func run(_ arguments: [String], _ evaluator: Evaluator) throws(GridError) -> StatementEnd? {
    guard let first = arguments.first else { return StatementEnd() }
    switch first {
    case "exit", "quit":
      let code = arguments.dropFirst().first.flatMap { Int32($0) } ?? 0
      evaluator.core.leave(code)
      return StatementEnd(code: code)
    case "help":
      try evaluator.sink.output(
        Array(try SessionHelp.text(for: Array(arguments.dropFirst()), columns: evaluator.sink.terminalWidth).utf8))
      return StatementEnd()
    case "echo":
      let isOpen = arguments.dropFirst().first == "-n"
      let text = arguments.dropFirst(isOpen ? 2 : 1).joined(separator: " ")
      try SessionServices.foreign(isOpen ? text : text + "\n", to: evaluator.sink)
      return StatementEnd(value: SessionValue(.string(text)))
    case "clear":
      // Home, the screen, and what was scrolled off it.
      if evaluator.sink.outputIsTerminal, NoticeStyle.movesCursor {
        try evaluator.sink.output(Array("\u{1B}[H\u{1B}[2J\u{1B}[3J".utf8))
      }
      return StatementEnd()
    default: break
    }
    if first.hasPrefix("-") { return nil }
    let commands = CommandHelp.commands().map(\.name)
    guard !commands.contains(first), CommandHelp.usage(for: [first]) == nil else { return nil }
    let known = (commands + beginnings).sorted()
    throw CommandWords.unknown(first, in: known, otherwise: "help lists them; !COMMAND runs one of the shell")
  }
}
