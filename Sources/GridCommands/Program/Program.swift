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
    OutputWriter.fillMissingDescriptors()
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
    guard Gridctl.exitCode(for: error) != .success else {
      do { try writer.output(text + "\n") } catch { return ExitStatus(error.code).rawValue }
      return ExitStatus.ok.rawValue
    }
    writer.error(text)
    if let hint = Suggestions.hint(for: arguments) { writer.error(hint) }
    return ExitStatus.usage.rawValue
  }

  private static func runningFailed(_ error: any Error, _ command: any ParsableCommand, _ writer: OutputWriter) -> Int32
  {
    if let error = error as? GridError {
      let settings = (command as? any GridCommand)?.settings
      ErrorReport(error: error).write(format: settings?.format ?? .table, color: settings?.color ?? .auto, to: writer)
      return ExitStatus(error.code).rawValue
    }
    if error is CancellationError { return ExitStatus.interrupted.rawValue }
    // Help and usage asked for while running.
    let code = Gridctl.exitCode(for: error)
    writer.error(Gridctl.fullMessage(for: error))
    return code == .success ? ExitStatus.usage.rawValue : code.rawValue
  }
}

/// Hints for misspelt verbs, which the parser does not give.
enum Suggestions {
  static func hint(for arguments: [String]) -> String? {
    var command: any ParsableCommand.Type = Gridctl.self
    for argument in arguments where !argument.hasPrefix("-") {
      let children = command.configuration.subcommands
      if children.isEmpty { return nil }
      guard let next = children.first(where: { names(of: $0).contains(argument) }) else {
        if command.configuration.defaultSubcommand != nil { return nil }
        let similar = NameSimilarity.similar(to: argument, in: children.flatMap(names(of:)))
        return similar.isEmpty ? nil : "  similar: \(similar.joined(separator: ", "))"
      }
      command = next
    }
    return nil
  }

  /// What a command is called by, its own name first.
  static func names(of command: any ParsableCommand.Type) -> [String] {
    [command.configuration.commandName ?? String(describing: command).lowercased()] + command.configuration.aliases
  }
}
