internal import ArgumentParser
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

      With -t the wait for the leadership ends after that time, with 124; with --no-wait the command ends with 75 at
      once when somebody else leads.

      With --once-per a job that cron starts on every node is run by one of them: when it ran well within that time,
      counted from the start of that run, the command says so and ends with 0; a tenth of the time, five minutes at
      most, is taken off it for a cron that is early. A run that failed is not counted: the next who leads runs it
      again.

      Examples:
        gridctl leader run nightly -- ./backup.sh
        gridctl leader run main --grace 2s -- sh -c 'exec ./writer --token "$GRIDCTL_FENCING_TOKEN"'
        gridctl leader run reindex --no-wait -- ./reindex.sh || test $? = 75
        30 2 * * * gridctl leader run nightly --once-per 24h -- ./backup.sh   # in the crontab of every node
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The leader's name.", valueName: "leader"))
  var name: LeaderArgument
  @Option(help: ArgumentHelp("How long the program may take to end after a signal.", valueName: "duration"))
  var grace: String = "5s"
  @Flag(help: "End with 75 when somebody else leads.")
  var noWait = false
  @Option(
    help: ArgumentHelp("Run the program only when it did not run well within this time.", valueName: "duration"))
  var oncePer: String?
  @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() async throws {
    let name = try name.validated()
    var options = LeaderRun.Options(grace: try Duration.argument(grace), waits: !noWait)
    options.period = try oncePer.map { text throws(GridError) in
      let period = try Duration.argument(text)
      guard period > .zero else {
        throw GridError(.usage, "--once-per must be longer than 0", hint: "as: --once-per 24h")
      }
      return period
    }
    guard !command.isEmpty else {
      throw GridError(.usage, "no program was given", hint: "gridctl leader run \(name) -- COMMAND [ARGUMENT…]")
    }
    let session = try await CommandSession(global)
    if case .flag = session.settings.sources.timeout { options.waitLimit = session.timeout }
    // Who does not wait for others does not wait for a store that is away, either.
    if noWait { options.waitLimit = session.timeout }
    let run = LeaderRun(session: session, name: name, command: command, options: options)
    throw ExitCode(try await run.untilExit())
  }
}
