internal import ArgumentParser
internal import Grid
internal import GridCore

/// `gridctl leader run`
struct LeaderRunCommand: OwnProcessCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a program while leading.",
    discussion: """
      Waits until it leads, runs the program, and ends with its exit code, 128 and the signal's number when one ended
      it. The program gets GRIDCTL_LEADER and GRIDCTL_FENCING_TOKEN. When the leadership is asked back or runs out, the
      program gets SIGTERM, and SIGKILL after --grace or before anybody else can lead, whichever is first. SIGTERM,
      SIGINT, SIGHUP and SIGQUIT are passed on to the program, which is killed when it has not ended within --grace;
      while there is none they end the wait.

      Examples:
        gridctl leader run nightly -- ./backup.sh
        gridctl leader run main --grace 2s -- sh -c 'exec ./writer --token "$GRIDCTL_FENCING_TOKEN"'
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument
  @Option(help: ArgumentHelp("How long the program may take to end after a signal.", valueName: "duration"))
  var grace: String = "5s"
  @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() async throws {
    let name = try name.validated()
    let grace = try Duration.argument(grace)
    guard !command.isEmpty else {
      throw GridError(.usage, "no program was given", hint: "gridctl leader run \(name) -- COMMAND [ARGUMENT…]")
    }
    let session = try await CommandSession(global)
    let run = LeaderRun(session: session, name: name, command: command, grace: grace)
    throw ExitCode(try await run.untilExit())
  }
}
