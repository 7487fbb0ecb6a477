internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// `gridctl bench`
struct BenchCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast actors are told, asked, made or named.",
    discussion: """
      The load is made by the node that is asked (or --from), so that what is measured is the cluster and not
      the start of a process. tell counts what a sink received; ask measures each round trip; spawn makes
      actors of a kind, without names, and says what an idle one costs; names makes actors with names, waits
      until every node has heard of them, and frees them: a measure of the coordination store. With --rate
      messages are sent at their times whether answers come or not, and what waits counts from when it should
      have been sent.

      --assert takes p50, p90, p99, p999 and max with a duration, rate with a rate, and sent, delivered and
      errors with a number; < <= > >= = and != compare. When one does not hold the exit code is 2.

      Examples:
        gridctl bench ask echo1 --count 100000
        gridctl bench ask echo1 --rate 20k/s --duration 30s --assert 'p99<5ms,errors=0'
        gridctl bench tell sink1 --clients 8 --duration 10s --warmup 2s --size 100B --save result.json
        gridctl bench spawn sink --count 1000000 -o json
        gridctl bench names sink --count 10000 --clients 64 -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "ask, tell, spawn or names.")
  var work: String
  @Argument(help: ArgumentHelp("The actor: an echo for ask, a sink for tell; else the kind.", valueName: "actor"))
  var target: ActorArgument
  @Option(help: ArgumentHelp("So many senders at once.", valueName: "count"))
  var clients: Int = 1
  @Option(help: ArgumentHelp("So many messages in all (default: 100000).", valueName: "count"))
  var count: Int?
  @Option(help: ArgumentHelp("Instead of --count: for so long.", valueName: "duration"))
  var duration: String?
  @Option(
    help: ArgumentHelp("So many messages a second, all senders together.", valueName: "rate"),
    transform: RateArgument.init(parsing:))
  var rate: RateArgument?
  @Option(help: ArgumentHelp("For so long before, without measuring.", valueName: "duration"))
  var warmup: String?
  @Option(help: ArgumentHelp("The size of a body.", valueName: "size"), transform: SizeArgument.init(parsing:))
  var size = SizeArgument(bytes: 100)
  @Option(help: ArgumentHelp("The node that makes the load.", valueName: "node"))
  var from: String?
  @Option(help: ArgumentHelp("End with 2 unless these hold: p99<5ms,errors=0.", valueName: "conditions"))
  var assert: String?
  @Option(help: ArgumentHelp("Write the result as JSON into a file, too.", valueName: "file"))
  var save: String?

  static let description = ListDescription(
    kind: "BenchResult", noun: "bench", nameField: "target",
    columns: [
      Column("WORK", fit: .whole, priority: ColumnPriority.detail, field: "work"),
      Column("TARGET", fit: .middle(8), field: "target"),
      .number("CLIENTS", priority: ColumnPriority.detail, field: "clients"), .number("SENT", field: "sent"),
      .number("DELIVERED", priority: ColumnPriority.detail, field: "delivered"), .number("ERRORS", field: "errors"),
      Column("SECONDS", alignment: .trailing, priority: ColumnPriority.detail) {
        HumanText.rounded(Column.number($0, "seconds") ?? 0, 3)
      },
      Column("RATE", alignment: .trailing, priority: ColumnPriority.name) {
        HumanText.rate(Column.number($0, "perSecond") ?? 0)
      },
      micros("P50", "p50Micros"), micros("P99", "p99Micros"), micros("MAX", "maxMicros"),
      micros("P90", wideOnly: true, "p90Micros"), micros("P999", wideOnly: true, "p999Micros"),
      .number("BODY", wideOnly: true, field: "bodyBytes"),
    ])

  private static func micros(_ header: String, wideOnly: Bool = false, _ field: String) -> Column<JSONValue> {
    Column(header, wideOnly: wideOnly, alignment: .trailing) {
      HumanText.duration($0[field]?.doubleValue.map { $0 / 1e6 })
    }
  }

  func run() async throws {
    guard let work = BenchWork(rawValue: work) else {
      throw GridError(.usage, "unknown work \(NameRules.quoted(self.work))", hint: "ask, tell, spawn or names")
    }
    let assertions = try assert.map { text throws(GridError) in try BenchAssertion.parse(text) } ?? []
    let request = try request(work)
    let session = try await CommandSession(global)
    let patience = global.timeout == nil ? Duration.seconds(600) + (try busyTime()) : session.timeout
    let routing = RequestRouting(node: from)
    let result = try await WaitingLine.show("measuring", session) {
      try await session.connection.json(request, routing: routing, timeout: patience)
    }
    if let save { try PrivateFile.replace(save, with: Array((result.indented() + "\n").utf8)) }
    if session.renderer.format.isTable {
      try session.renderer.list([result], Self.description)
    } else {
      try session.renderer.object(result, Self.description)
    }
    let failed = assertions.filter { !$0.holds(for: result) }
    for assertion in failed { session.writer.remark("not so: \(assertion.text) (\(assertion.found(in: result)))") }
    if !failed.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
  }

  private func busyTime() throws(GridError) -> Duration {
    (try duration.map { text throws(GridError) in try Duration.argument(text) } ?? .zero)
      + (try warmup.map { text throws(GridError) in try Duration.argument(text) } ?? .zero)
  }

  private func request(_ work: BenchWork) throws(GridError) -> BenchRequest {
    guard count == nil || duration == nil else { throw GridError(.usage, "--count and --duration exclude each other") }
    guard count ?? 1 > 0, (1...4096).contains(clients) else {
      throw GridError(.usage, "--count must be at least 1, --clients 1 to 4096")
    }
    var request = BenchRequest()
    request.work = work
    request.target = try target.validated()
    request.clients = clients
    request.count = count ?? 100_000
    request.bodyBytes = size.bytes
    request.perSecond = rate?.perSecond
    request.durationSeconds = try seconds(duration, "--duration")
    request.warmUpSeconds = try seconds(warmup, "--warmup")
    return request
  }

  private func seconds(_ text: String?, _ option: String) throws(GridError) -> Double? {
    guard let text else { return nil }
    let seconds = try Duration.argument(text).inSeconds
    guard seconds > 0, seconds <= 3600 else { throw GridError(.usage, "\(option) must be more than 0 and at most 1h") }
    return seconds
  }
}

/// One condition of `bench --assert`.
struct BenchAssertion: Sendable {
  let text: String
  private let field: String
  private let comparison: ValueComparison
  private let limit: Double

  private static let fields: [String: String] = [
    "p50": "p50Micros", "p90": "p90Micros", "p99": "p99Micros", "p999": "p999Micros", "max": "maxMicros",
    "rate": "perSecond", "sent": "sent", "delivered": "delivered", "errors": "errors",
  ]

  /// - Throws: ``GridError/Code/usage``.
  static func parse(_ text: String) throws(GridError) -> [BenchAssertion] {
    var assertions: [BenchAssertion] = []
    for part in text.split(separator: ",") { assertions.append(try BenchAssertion(String(part))) }
    return assertions
  }

  private init(_ text: String) throws(GridError) {
    self.text = text
    let name = String(text.prefix { $0.isLetter || $0.isNumber })
    let rest = text.dropFirst(name.count)
    let sign = ValueComparison.signs.first { rest.hasPrefix($0.text) && $0.comparison != .matches }
    guard let field = Self.fields[name], let sign else {
      throw GridError(
        .usage, "\(NameRules.quoted(text)) is no condition",
        hint: "write p99<5ms, errors=0 or rate>=10k/s; known are \(Self.fields.keys.sorted().joined(separator: ", "))")
    }
    self.field = field
    comparison = sign.comparison
    let value = String(rest.dropFirst(sign.text.count))
    if field.hasSuffix("Micros") {
      limit = try Duration.argument(value).inSeconds * 1e6
    } else if field == "perSecond" {
      limit = try RateArgument(parsing: value).perSecond
    } else {
      guard let number = Double(value), number.isFinite else {
        throw GridError(.usage, "\(NameRules.quoted(value)) in \(NameRules.quoted(text)) is no number")
      }
      limit = number
    }
  }

  func holds(for result: JSONValue) -> Bool {
    guard let value = result[field]?.doubleValue else { return false }
    return comparison.holds(value, limit)
  }

  /// What the result has instead.
  func found(in result: JSONValue) -> String {
    guard let value = result[field]?.doubleValue else { return "there is no \(field)" }
    if field.hasSuffix("Micros") { return HumanText.duration(value / 1e6) }
    return field == "perSecond" ? HumanText.rate(value) : HumanText.rounded(value, 0)
  }
}
