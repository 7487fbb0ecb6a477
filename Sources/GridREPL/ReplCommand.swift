package import ArgumentParser
internal import Glibc
internal import GridClient
package import GridCommands
internal import GridCore

/// `gridctl repl`
package struct ReplCommand: OwnProcessCommand {
  package static let configuration = CommandConfiguration(
    commandName: "repl", abstract: "Open an interactive session on a live cluster, or run a script of its language.",
    discussion: """
      Every command of gridctl works in a session, on one connection; beside them there are variables, pipes to
      the shell, each, watch, and jobs behind the prompt: see help and :help in the session. Leaving it never
      stops a node. Without a terminal, standard input is read as a script.

      Examples:
        gridctl repl
        gridctl repl -c 'actors --min-mailbox 100 |> each inspect {}'
        gridctl repl --on-error continue -f nightly.grid
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    name: [.customShort("c"), .long], help: ArgumentHelp("Run this text instead of a session.", valueName: "commands"))
  package var command: String?
  @Option(
    name: [.customShort("f"), .long],
    help: ArgumentHelp("Run this file instead of a session; - is standard input.", valueName: "file"))
  package var file: String?
  @Flag(name: [.customShort("X"), .customLong("no-rc")], help: "Do not run the start file, replrc.")
  package var noStartFile = false
  @Option(
    help: ArgumentHelp(
      "When a command of a script fails: stop, with its exit code, or continue.", valueName: "stop|continue"))
  package var onError: String = "stop"
  @Flag(help: "Show no events above the prompt.")
  package var noEvents = false
  @Flag(help: "Show each line of a script before it runs.")
  package var echo = false

  package init() {}

  package func validate() throws {
    if command != nil, file != nil { throw ValidationError("-c and -f exclude each other") }
    if onError != "stop", onError != "continue" { throw ValidationError("--on-error is stop or continue") }
  }

  package func run() async throws {
    let services = try SessionServices(global)
    let isInteractive = command == nil && file == nil && isatty(0) == 1 && isatty(1) == 1
    let core = SessionCore(
      services: services, cluster: services.client, terminal: isInteractive ? Terminal.shared : nil,
      settings: SessionCore.Settings(
        variables: services.commandVariables, stopsOnError: !isInteractive && onError == "stop",
        prompt: PromptStyle(services)),
      allowsStandardInput: !isInteractive && (command != nil || (file != nil && file != "-")))
    let code: Int32
    if let terminal = core.terminal {
      let session = ReplSession(
        core: core, terminal: terminal,
        options: ReplSession.Options(
          readsStartFile: !noStartFile, events: noEvents ? ShownEvents(kinds: []) : .standard,
          isQuiet: services.isQuiet))
      code = try await session.run()
    } else {
      code = try await ScriptSession(core: core, echoes: echo).run(command: command, file: file)
    }
    if code != 0 { throw ExitCode(code) }
  }
}
