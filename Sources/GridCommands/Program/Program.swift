internal import ArgumentParser
internal import Glibc
internal import Grid
internal import GridCore

/// The command line: parses, runs one command, and turns whatever happens into an exit code.
public enum Program {
  /// Runs the command line and ends the process.
  ///
  /// Not an `async` main: that one ends the main thread by unwinding it, which costs a short command more than its
  /// work.
  public static func main(_ arguments: [String]) -> Never {
    // NIO ignores SIGPIPE for the process anyway; here nothing of ours may die of it before.
    signal(SIGPIPE, SIG_IGN)
    StandardDescriptors.reserve()
    UnstructuredTask.start { exit(await run(arguments)) }
    while true { pause() }
  }

  /// Runs the command line.
  ///
  /// - Returns: the exit code.
  @concurrent
  static func run(_ arguments: [String]) async -> Int32 {
    let writer = OutputWriter.shared
    let command: any ParsableCommand
    do {
      command = try Gridctl.parseAsRoot(arguments)
    } catch {
      return parsingFailed(error, arguments, writer)
    }
    do {
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        var command = command
        try command.run()
      }
      writer.clearProgress()
      return ExitStatus.ok.rawValue
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      return runningFailed(error, command, writer)
    }
  }

  private static func parsingFailed(_ error: any Error, _ arguments: [String], _ writer: OutputWriter) -> Int32 {
    let text = Gridctl.fullMessage(for: error)
    guard Gridctl.exitCode(for: error) != .success else { return tell(text, writer) }
    writer.error(text)
    if let hint = Suggestions.hint(for: arguments) { writer.error(hint) }
    return ExitStatus.usage.rawValue
  }

  private static func runningFailed(_ error: any Error, _ command: any ParsableCommand, _ writer: OutputWriter) -> Int32
  {
    if let error = error as? GridError {
      let format = (command as? any GridCommand)?.chosenFormat ?? .table
      ErrorReport(error: error).write(format: format, to: writer)
      return ExitStatus(error.code).rawValue
    }
    if error is CancellationError { return ExitStatus.interrupted.rawValue }
    let code = Gridctl.exitCode(for: error)
    // Help and version that were asked for are results.
    if code == .success { return tell(Gridctl.fullMessage(for: error), writer) }
    writer.error(Gridctl.fullMessage(for: error))
    return code.rawValue
  }

  private static func tell(_ text: String, _ writer: OutputWriter) -> Int32 {
    do { try writer.output(text + "\n") } catch { return ExitStatus(error.code).rawValue }
    return ExitStatus.ok.rawValue
  }
}

/// Hints for misspelt verbs, which the parser does not give.
enum Suggestions {
  static func hint(for arguments: [String]) -> String? {
    var command: any ParsableCommand.Type = Gridctl.self
    for argument in arguments where !argument.hasPrefix("-") {
      let children = command.configuration.subcommands
      if children.isEmpty { return nil }
      guard let next = children.first(where: { name(of: $0) == argument }) else {
        let similar = NameSimilarity.similar(to: argument, in: children.map(name(of:)))
        return similar.isEmpty ? nil : "  similar: \(similar.joined(separator: ", "))"
      }
      command = next
    }
    return nil
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? String(describing: command).lowercased()
  }
}
