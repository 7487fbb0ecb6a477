internal import ArgumentParser
internal import Glibc
internal import Grid
internal import GridClient
internal import GridCore

/// `gridctl top`
struct TopCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", _superCommandName: "gridctl",
    abstract: "Show the busiest actors, as they are now.",
    discussion: """
      On a terminal the table is drawn again and again; keys: m, r, f, s and n sort by mailbox, rate, failures, restarts
      and name, q ends. With --once, or when the output is no terminal, it is written once.

      Examples:
        gridctl top
        gridctl top --by rate --window 10s
        gridctl top --once -n 5 -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("mailbox, rate, failures, restarts or name.", valueName: "column"))
  var by: String = "mailbox"
  @Option(help: ArgumentHelp("Rates are averages over so long (default: 5s; 1s with --once).", valueName: "duration"))
  var window: String?
  @Option(name: [.customShort("d"), .long], help: ArgumentHelp("Draw again after so long.", valueName: "duration"))
  var delay: String = "1s"
  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("At most so many rows.", valueName: "count"))
  var rows: Int?
  @Option(help: ArgumentHelp("Only actors of this kind.", valueName: "kind"))
  var kind: String?
  @Flag(help: "Write the table once.")
  var once = false

  func run() async throws {
    guard let order = TopTable.Order(rawValue: by) else {
      throw GridError(
        .usage, "cannot sort by \(NameRules.quoted(by))",
        hint: TopTable.Order.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let pause = try Duration.argument(delay)
    guard pause >= .milliseconds(100) else { throw GridError(.usage, "--delay must be at least 100ms") }
    let session = try await CommandSession(global)
    // A session owns the terminal: there the table is a result like any other.
    let isLive =
      !once && CommandEnvironment.current == nil && session.writer.outputIsTerminal && isatty(0) == 1
      && session.renderer.format.isTable
    let span = try window.map { text throws(GridError) in try Duration.argument(text) } ?? .seconds(isLive ? 5 : 1)
    var arguments: [String: JSONValue] = [:]
    arguments["kind"] = kind.map { .string($0) }
    if isLive {
      let live = LiveTop(session: session, arguments: .object(arguments), window: span, pause: pause, limit: rows)
      return try await live.run(order)
    }
    var table = TopTable(window: span)
    let clock = SystemClock()
    table.take(try await Self.actors(session, arguments), at: clock.now())
    try await Task.sleep(for: span)
    let answer = try await session.request("actors", .object(arguments))
    table.take(answer["items"]?.arrayValue ?? [], at: clock.now())
    try session.renderer.list(table.rows(by: order, limit: rows ?? .max), TopTable.description)
    try session.warnOfMissing(answer)
  }

  private static func actors(
    _ session: CommandSession, _ arguments: [String: JSONValue]
  ) async throws(GridError) -> [JSONValue] {
    try await session.request("actors", .object(arguments))["items"]?.arrayValue ?? []
  }
}

/// The table on a terminal, until somebody ends it.
private struct LiveTop {
  let session: CommandSession
  let arguments: JSONValue
  let window: Duration
  let pause: Duration
  let limit: Int?

  private enum Input: Sendable {
    case tick
    case key(Character)
  }

  func run(_ order: TopTable.Order) async throws {
    // Before the terminal is changed: whatever ends the command puts it back.
    let signals = try TerminationSignals.take()
    defer { signals.giveBack() }
    let terminal = try RawTerminal(writer: session.writer)
    defer { terminal.restore() }
    let pause = pause
    let (inputs, input) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .bufferingOldest(64))
    let code = try await withThrowingTaskGroup(of: Int32.self) { group in
      group.addTask {
        for await key in RawTerminal.keys() { input.yield(.key(key)) }
        return ExitStatus.inputOutput.rawValue
      }
      group.addTask {
        await signals.next().map { 128 + $0 } ?? ExitStatus.ok.rawValue
      }
      group.addTask {
        while true {
          input.yield(.tick)
          try await Task.sleep(for: pause)
        }
      }
      let top = self
      group.addTask { try await top.show(inputs, order, terminal) }
      defer { group.cancelAll() }
      return try await group.next() ?? ExitStatus.ok.rawValue
    }
    if code != 0 { throw ExitCode(code) }
  }

  /// - Returns: the exit code when a key ended it.
  private func show(
    _ inputs: AsyncStream<Input>, _ order: TopTable.Order, _ terminal: RawTerminal
  ) async throws -> Int32 {
    var table = TopTable(window: window)
    var order = order
    let clock = SystemClock()
    for await input in inputs {
      switch input {
      case .tick:
        table.take(try await session.request("actors", arguments)["items"]?.arrayValue ?? [], at: clock.now())
      case .key("q"), .key("Q"), .key("\u{04}"): return ExitStatus.ok.rawValue
      case .key("\u{03}"): return ExitStatus.interrupted.rawValue
      case .key("\u{1A}"): terminal.suspend()
      case .key(let key): order = TopTable.Order.allCases.first { $0.key == key } ?? order
      }
      try terminal.draw(screen(table, order))
    }
    return ExitStatus.ok.rawValue
  }

  private func screen(_ table: TopTable, _ order: TopTable.Order) -> [String] {
    let totals = table.totals
    let width = session.writer.outputWidth ?? 80
    let title =
      "namespace \(session.settings.namespace)   \(HumanText.grouped(Int64(totals.actors))) actors   "
      + "\(HumanText.grouped(totals.mailbox)) waiting   \(HumanText.rate(totals.perSecond))   by \(order.rawValue)   "
      + "m r f s n sort, q ends"
    let room = max(1, (session.writer.outputHeight ?? 24) - 4)
    let rows = table.rows(by: order, limit: min(limit ?? .max, room))
    let text = session.renderer.tableText(rows, TopTable.description)
    return [TerminalText.truncated(title, to: width), ""] + text.split(separator: "\n").map(String.init)
  }
}
