internal import ArgumentParser
internal import Glibc
internal import GridActors
package import GridCore
internal import GridSystem

/// The command line: parses, runs one command, and turns whatever happens into an exit code.
public enum Program {
  /// Runs the command line and ends the process.
  ///
  /// Not an `async` main: that one ends the main thread by unwinding it, which costs a short command more than its
  /// work.
  ///
  /// - Parameter additional: commands of the rooms above this one.
  package static func main(_ arguments: [String], additional: [any GridCommand.Type] = []) -> Never {
    // NIO ignores SIGPIPE for the process anyway; here nothing of ours may die of it before.
    signal(SIGPIPE, SIG_IGN)
    TerminationSignals.unblock()
    OutputWriter.fillMissingDescriptors()
    ProcessPrivacy.isOn = true
    AdditionalCommands.register(additional)
    UnstructuredTask.start { exit(await outcomeOfProcess(arguments).code) }
    while true { pause() }
  }

  private static func outcomeOfProcess(_ arguments: [String]) async -> CommandOutcome {
    do throws(GridError) {
      // Where somebody is typing, nothing is said.
      if arguments.first != CompleteCommand.configuration.commandName { try RawArguments.check() }
    } catch {
      return await runningFailed(error, nil, arguments, .shared)
    }
    return await outcome(of: arguments)
  }

  /// Runs one line of a session.
  package static func run(_ arguments: [String], in environment: CommandEnvironment) async -> CommandOutcome {
    await CommandEnvironment.$current.withValue(environment) { await outcome(of: arguments) }
  }

  @concurrent
  private static func outcome(of arguments: [String]) async -> CommandOutcome {
    let writer = OutputWriter.shared
    if let message = PlainMessage(arguments) {
      do {
        try await message.run()
        return CommandOutcome(.ok)
      } catch {
        return await runningFailed(error, nil, arguments, writer)
      }
    }
    let command: any ParsableCommand
    do {
      command = try parse(arguments)
    } catch {
      return await parsingFailed(error, arguments, writer)
    }
    do {
      try CommandEnvironment.admit(command)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        var command = command
        try command.run()
      }
      writer.clearProgress()
      return CommandOutcome(.ok)
    } catch let code as ExitCode {
      return CommandOutcome(code: code.rawValue)
    } catch let told as ToldError {
      return CommandOutcome(told.error)
    } catch {
      return await runningFailed(error, command, arguments, writer)
    }
  }

  /// The command of a line.
  ///
  /// A line that begins with its verbs is parsed by the verb's own type: to descend from the root costs a one-shot
  /// command more than all its work. Whatever is wrong, and every wish for help, is told by the root.
  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    if let (leaf, rest) = leaf(of: arguments), let command = try? leaf.parseAsRoot(rest), type(of: command) == leaf {
      return command
    }
    return try Gridctl.parseAsRoot(arguments)
  }

  /// What a command is called by, its own name first.
  private static func names(of command: any ParsableCommand.Type) -> [String] {
    [CommandHelp.name(of: command)] + command.configuration.aliases
  }

  private static func leaf(of arguments: [String]) -> (any ParsableCommand.Type, [String])? {
    var command: any ParsableCommand.Type = Gridctl.self
    for (index, argument) in arguments.enumerated() {
      guard let next = command.configuration.subcommands.first(where: { names(of: $0).contains(argument) })
      else { return nil }
      command = next
      if command.configuration.subcommands.isEmpty { return (command, Array(arguments[(index + 1)...])) }
    }
    return nil
  }

  private static func parsingFailed(
    _ error: any Error, _ arguments: [String], _ writer: OutputWriter
  ) async -> CommandOutcome {
    if Gridctl.exitCode(for: error) == .success { return await tellWish(error, arguments, writer) }
    let line = CommandLineReading(arguments)
    let fault = line.fault(Gridctl.message(for: error))
    ErrorReport(error: fault).write(format: line.format, to: writer)
    return CommandOutcome(fault)
  }

  private static func runningFailed(
    _ error: any Error, _ command: (any ParsableCommand)?, _ arguments: [String], _ writer: OutputWriter
  ) async -> CommandOutcome {
    if let error = error as? GridError {
      // Whoever pressed Ctrl-C in a session knows.
      if error.code == .cancelled, CommandEnvironment.current != nil { return CommandOutcome(error) }
      let command = command as? any GridCommand
      let settings = command.map(\.settings) ?? (try? Settings(SettingFlags(), environment: Settings.variables))
      // Where the settings themselves are at fault, the format that was typed still holds.
      let typed = command?.global.output.flatMap { try? OutputFormat(parsing: $0) }
      ErrorReport(error: error).write(
        format: settings?.format ?? typed ?? .table, color: settings?.color ?? .auto, to: writer)
      return CommandOutcome(error)
    }
    if error is CancellationError { return CommandOutcome(GridError(.cancelled, "cancelled")) }
    let code = Gridctl.exitCode(for: error)
    if code == .success { return await tellWish(error, arguments, writer) }
    let fault = CommandLineReading(arguments).fault(Gridctl.message(for: error))
    ErrorReport(error: fault).write(format: (command as? any GridCommand)?.settings?.format ?? .table, to: writer)
    return CommandOutcome(code: code.rawValue, error: fault)
  }

  /// Help and version that were asked for are results; the parser throws them.
  private static func tellWish(_ wish: any Error, _ arguments: [String], _ writer: OutputWriter) async -> CommandOutcome
  {
    var help: String?
    if CommandLineReading.asksForHelp(arguments) {
      help = HelpPage(tree: .gridctl, width: writer.outputWidth).text(of: CommandLineReading(arguments).path)
    }
    return await tell(help ?? Gridctl.fullMessage(for: wish) + "\n", writer)
  }

  private static func tell(_ text: String, _ writer: OutputWriter) async -> CommandOutcome {
    do throws(GridError) { try await Pager.show(text, writer: writer) } catch { return CommandOutcome(error) }
    return CommandOutcome(.ok)
  }
}

/// How a command ended.
package struct CommandOutcome: Sendable {
  /// The exit code.
  package var code: Int32
  /// What went wrong, when it is known by more than its code.
  package var error: GridError?

  package init(code: Int32, error: GridError? = nil) {
    self.code = code
    self.error = error
  }

  package init(_ error: GridError) { self.init(code: ExitStatus(error.code).rawValue, error: error) }

  init(_ status: ExitStatus) { self.init(code: status.rawValue) }
}

/// An error that the command has told already, in words or records of its own.
struct ToldError: Error {
  let error: GridError
}

/// A command that takes the process over: its signals, its standard input, or its life.
package protocol OwnProcessCommand: GridCommand {}

extension CommandEnvironment {
  /// - Throws: ``GridError/Code/usage`` when the command cannot run inside a session.
  static func admit(_ command: any ParsableCommand) throws(GridError) {
    guard current != nil, command is any OwnProcessCommand else { return }
    let name = type(of: command).configuration.commandName ?? "this command"
    throw GridError(
      .usage, "\(name) needs a process of its own, and would end with the session",
      hint: "run it in the shell with: !gridctl \(name) …")
  }
}
