internal import GridCommands
internal import GridREPL

/// The entry: everything else is in GridCommands and GridREPL, where tests reach it.
@main
enum Main {
  static func main() { Program.main(Array(CommandLine.arguments.dropFirst()), additional: [ReplCommand.self]) }
}
