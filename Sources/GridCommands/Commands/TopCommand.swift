internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem

/// `gridctl top`
struct TopCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", _superCommandName: "gridctl",
    abstract: "Show the busiest actors, as they are now.",
    discussion: """
      On a terminal the table is drawn again and again, with the nodes above it: arrows mark an actor, Enter shows all
      about it, / filters, m, r, t, f, s and n sort by mailbox, rate, time, failures, restarts and name, ? tells the
      rest, q ends. When the node that is asked is gone it goes on at another one. With --once, on a terminal that can
      do no more (TERM=dumb), or when the output is no terminal, the table is written once.

      Rates are what was handled within --window. Time is how long the message in hand has been handled, or the 99th
      percentile of the latest ones.

      Examples:
        gridctl top
        gridctl top --by time
        gridctl top --by rate --window 10s
        gridctl top --once -n 5 -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("mailbox, rate, time, failures, restarts or name.", valueName: "column"))
  var by: String = "mailbox"
  @Option(help: ArgumentHelp("Rates are averages over so long (default: 5s; 1s with --once).", valueName: "duration"))
  var window: String?
  @Option(name: [.customShort("d"), .long], help: ArgumentHelp("Draw again after so long.", valueName: "duration"))
  var delay: String = "1s"
  @Option(
    name: [.customShort("n"), .long], help: ArgumentHelp("At most so many rows (default: 1000).", valueName: "count"))
  var rows: Int?
  @Option(help: ArgumentHelp("Only actors of this kind.", valueName: "kind"))
  var kind: String?
  @Flag(help: "Write the table once.")
  var once = false

  func run() async throws {
    guard let order = ActorOrder(rawValue: by) else {
      throw GridError(
        .usage, "cannot sort by \(NameRules.quoted(by))",
        hint: ActorOrder.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let pause = try Duration.argument(delay)
    guard pause >= .milliseconds(100) else { throw GridError(.usage, "--delay must be at least 100ms") }
    let session = try await CommandSession(global)
    // A session owns the terminal: there the table is a result like any other.
    let isLive =
      !once && CommandEnvironment.current == nil && session.writer.outputIsTerminal && isatty(0) == 1
      && session.renderer.format.isTable && Settings.variables["TERM"] != "dumb"
    let span = try window.map { text throws(GridError) in try Duration.argument(text) } ?? .seconds(isLive ? 5 : 1)
    let actors = ActorsRequest(kind: kind)
    let limit = max(0, rows ?? TopTable.mostRows)
    if isLive {
      let live = LiveTop(session: session, actors: actors, window: span, pause: pause, limit: limit)
      let code = try await live.run(order)
      if code != .ok { throw ExitCode(code.rawValue) }
      return
    }
    // The nodes watch what is handled within the window, and tell the first of their actors.
    let top = try await session.request(
      ActorTopRequest(actors, by: order, limit: limit, window: span), work: span)
    var table = TopTable(window: span)
    table.take(top, at: SystemClock().now())
    try session.renderer.list(
      table.rows(by: order, limit: limit), TopTable.description.knowing(kind == nil ? nil : "KIND"))
    try session.warnOfMissing(top.missing)
  }
}
