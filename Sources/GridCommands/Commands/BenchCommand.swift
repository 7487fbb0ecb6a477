internal import ArgumentParser
internal import GridClient
internal import GridCore

/// `gridctl bench`
struct BenchCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast actors are told, asked or made.",
    discussion: """
      The load is made by the node that is asked (or --from), so that what is measured is the cluster and not
      the start of a process. tell counts what a sink received; ask measures each round trip; spawn makes
      actors of a kind, without names, and says what an idle one costs.

      Examples:
        gridctl bench ask echo1 --count 100000
        gridctl bench ask echo1 --clients 64 --from n1
        gridctl bench tell sink1 --count 4000000 --size 100B
        gridctl bench spawn sink --count 1000000 -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "ask, tell or spawn.")
  var work: String
  @Argument(help: "The actor: an echo for ask, a sink for tell. For spawn the kind.")
  var target: ActorArgument
  @Option(help: ArgumentHelp("So many senders at once.", valueName: "count"))
  var clients: Int = 1
  @Option(help: ArgumentHelp("So many messages in all.", valueName: "count"))
  var count: Int = 100_000
  @Option(help: ArgumentHelp("The size of a body.", valueName: "size"))
  var size = SizeArgument(bytes: 100)
  @Option(help: ArgumentHelp("The node that makes the load.", valueName: "node"))
  var from: String?

  static let description = ListDescription(
    kind: "BenchResult", noun: "bench", nameField: "target",
    columns: [
      Column("WORK", field: "work"), Column("TARGET", field: "target"), Column("CLIENTS", field: "clients"),
      Column("SENT", field: "sent"), Column("DELIVERED", field: "delivered"), Column("ERRORS", field: "errors"),
      Column("SECONDS") { HumanText.rounded($0["seconds"]?.doubleValue ?? 0, 3) },
      Column("RATE") { HumanText.rate($0["perSecond"]?.doubleValue ?? 0) },
      Column("P50") { BenchCommand.micros($0["p50Micros"]) }, Column("P99") { BenchCommand.micros($0["p99Micros"]) },
      Column("MAX") { BenchCommand.micros($0["maxMicros"]) },
    ])

  private static func micros(_ value: JSONValue?) -> String {
    HumanText.duration(value?.doubleValue.map { $0 / 1e6 })
  }

  func run() async throws {
    guard ["ask", "tell", "spawn"].contains(work) else {
      throw GridError(.usage, "unknown work \(NameRules.quoted(work))", hint: "ask, tell or spawn")
    }
    let session = try await CommandSession(global)
    var arguments: [String: JSONValue] = [
      "work": .string(work), "target": .string(try target.validated()), "clients": .integer(Int64(clients)),
      "count": .integer(Int64(count)), "size": .integer(Int64(size.bytes)),
    ]
    arguments["node"] = from.map { .string($0) }
    let timeout = global.timeout == nil ? Duration.seconds(600) : session.timeout
    let result = try await session.connection.request("bench", .object(arguments), timeout: timeout)
    if session.renderer.format == .table || session.renderer.format == .wide {
      try session.renderer.list([result], Self.description)
    } else {
      try session.renderer.object(result, kind: "BenchResult", noun: "bench")
    }
  }
}
