package import ArgumentParser
internal import GridCore
internal import Synchronization

/// The root of the command tree.
struct Gridctl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gridctl",
    abstract: "Run, use and look into clusters of actors.",
    discussion: """
      Examples:
        gridctl node start --detach && gridctl spawn counter hits
        gridctl tell hits 1 && gridctl ask hits
      """,
    version: "gridctl \(GridVersion.current)",
    subcommands: [
      NodeCommand.self, PeersCommand.self, ActorsCommand.self, KindsCommand.self, InspectCommand.self,
      SpawnCommand.self, StopCommand.self, RestartCommand.self, TellCommand.self, AskCommand.self,
      BroadcastCommand.self, EventsCommand.self,
      TraceCommand.self, DeadLettersCommand.self, LeaderCommand.self, BenchCommand.self, TopCommand.self,
      WaitCommand.self, CheckCommand.self, AuditCommand.self, TLSCommand.self, TokenCommand.self, ContextCommand.self,
      ExitCodesCommand.self, CompletionCommand.self, CompleteCommand.self, ManualCommand.self, HelpCommand.self,
    ] + AdditionalCommands.all)

  @OptionGroup var global: GlobalOptions

  mutating func run() async throws { try Self.needsVerb(Self.self) }

  /// A group without a verb is a usage error, not a success with help on standard output.
  static func needsVerb(_ command: any ParsableCommand.Type) throws -> Never {
    let path = command == Gridctl.self ? [] : [CommandHelp.name(of: command)]
    let writer = OutputWriter.shared
    let text = HelpPage(tree: .gridctl, width: writer.outputWidth).text(of: path) ?? ""
    writer.error(String(text.dropLast()))
    throw ExitCode(ExitStatus.usage.rawValue)
  }
}

/// Commands of the rooms above this one, put into the tree before it is first used.
package enum AdditionalCommands {
  private static let commands = Mutex<[any GridCommand.Type]>([])

  static var all: [any ParsableCommand.Type] { commands.withLock { $0 } }

  /// Adds commands to the tree. Only before the first line is parsed.
  package static func register(_ additional: [any GridCommand.Type]) { commands.withLock { $0 = additional } }
}

/// A command with the global options.
package protocol GridCommand: AsyncParsableCommand {
  var global: GlobalOptions { get }
}

extension GridCommand {
  /// The settings, for telling errors; nil for wrong options, which have been told already.
  var settings: Settings? { try? Settings(global) }
}

/// `gridctl exit-codes`
struct ExitCodesCommand: GridCommand {
  static let configuration = CommandConfiguration(commandName: "exit-codes", abstract: "List the exit codes.")

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let settings = try Settings(global)
    try settings.renderer.list(
      ExitStatus.allCases,
      ListDescription(
        kind: "ExitCodeList", rowKind: "ExitCode", noun: "exit-code",
        columns: [
          Column("CODE", alignment: .trailing) { String($0.rawValue) }, Column("NAME", fit: .whole) { $0.label },
          Column("MEANING", fit: .end(16), priority: ColumnPriority.important) { $0.meaning },
        ],
        json: { status in
          [
            "code": .integer(Int64(status.rawValue)), "name": .string(status.label), "meaning": .string(status.meaning),
          ]
        },
        name: { String($0.rawValue) }))
  }
}
