internal import GridCommands

/// The entry: everything else is in GridCommands, where tests reach it.
@main
enum Main {
  static func main() { Program.main(Array(CommandLine.arguments.dropFirst())) }
}
