internal import GridCore

/// What can be told of a line that the parser has refused, or that asks for help. Pure but for the output format, which
/// a variable may set.
struct CommandLineReading {
  /// The names of the command it is about; empty for the root.
  let path: [String]
  private let arguments: [String]
  private let unknownCommand: String?

  init(_ arguments: [String], tree: CommandTree = .gridctl) {
    var walk = CompletionWalk(tree: tree)
    for argument in arguments { walk.take(argument) }
    path = walk.names
    unknownCommand = walk.unknownCommand
    self.arguments = Array(arguments.prefix { $0 != "--" })
  }

  /// Whether a line asks for help in one of the ways there are. Told without the tree, which takes ten times as long as
  /// all else that a short command does.
  static func asksForHelp(_ arguments: [String]) -> Bool {
    arguments.prefix { $0 != "--" }.contains { ["-h", "--help", "-help", "--help-hidden"].contains($0) }
  }

  /// The parser's message as an error like every other one, with what to try.
  func fault(_ message: String, tree: CommandTree = .gridctl) -> GridError {
    if let unknownCommand {
      let known = tree.command(at: path)?.commands.filter { !$0.isHidden }.map(\.name) ?? []
      return CommandWords.unknown(
        unknownCommand, after: path, in: known,
        otherwise: "see: gridctl help\(path.map { " " + $0 }.joined())")
    }
    let usage = HelpPage(tree: tree, width: nil).usage(of: path).map { "usage: \($0)\n" } ?? ""
    return GridError(
      .usage, Self.lowercased(message), hint: usage + "see: gridctl help\(path.map { " " + $0 }.joined())")
  }

  /// The output format that was typed, else that of the environment; wrong ones are told elsewhere.
  var format: OutputFormat {
    var typed = Settings.variables["GRIDCTL_OUTPUT"]
    for (index, argument) in arguments.enumerated() {
      if argument == "-o" || argument == "--output" {
        typed = index + 1 < arguments.count ? arguments[index + 1] : typed
      } else if argument.hasPrefix("--output=") {
        typed = String(argument.dropFirst(9))
      } else if argument.hasPrefix("-o"), argument.count > 2 {
        typed = String(argument.dropFirst(2))
      }
    }
    return typed.flatMap { try? OutputFormat(parsing: $0) } ?? .table
  }

  /// As every other error begins; a name keeps its capitals.
  private static func lowercased(_ message: String) -> String {
    guard message.dropFirst().first?.isLowercase == true else { return message }
    return message.prefix(1).lowercased() + message.dropFirst()
  }
}
