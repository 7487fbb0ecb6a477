internal import ArgumentParser
internal import Grid
internal import GridCore

/// The options every command takes, before or after it.
package struct GlobalOptions: ParsableArguments {
  package init() {}

  @Option(
    name: [.customShort("e"), .long],
    help: ArgumentHelp("Node to talk to: HOST:PORT or unix:PATH.", valueName: "endpoint"))
  var endpoint: [String] = []

  @Option(help: ArgumentHelp("The cluster (default: default).", valueName: "name"))
  var namespace: String?

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("table, wide, json, jsonl, yaml, name or tsv (default: table).", valueName: "format"))
  var output: String?

  @Flag(help: "Leave the header line out.")
  var noHeaders = false

  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp("How long to wait for an answer (default: 5s).", valueName: "duration"))
  var timeout: String?

  @Flag(name: [.customShort("q"), .long], help: "No progress and no remarks on standard error.")
  var quiet = false

  @Flag(name: [.customShort("v"), .long], help: "Say more on standard error; may be given twice.")
  var verbose: Int

  /// Whether the command goes where the session is.
  var namesNoNode: Bool { endpoint.isEmpty && namespace == nil }
}

/// The options with the environment and the defaults behind them.
struct Settings {
  var endpoints: [String]
  var namespace: String
  var format: OutputFormat
  var timeout: Duration
  var hidesHeaders: Bool
  var isQuiet: Bool
  var directories: GridDirectories

  /// The environment of the process, or what a session put in its place.
  static var variables: [String: String] { CommandEnvironment.current?.variables ?? ProcessEnvironment.variables }

  /// Precedence: option, environment, default.
  ///
  /// - Throws: ``GridError/Code/usage`` for a wrong option, ``GridError/Code/configuration`` for a wrong variable.
  init(_ options: GlobalOptions, environment: [String: String] = Settings.variables) throws(GridError) {
    namespace = options.namespace ?? environment["GRIDCTL_NAMESPACE"] ?? "default"
    try NameRules.validated(namespace, as: "namespace")
    endpoints = options.endpoint
    if endpoints.isEmpty, let variable = environment["GRIDCTL_ENDPOINTS"] {
      endpoints = variable.split(separator: ",").map { String($0.drop { $0 == " " }) }
    }
    directories = GridDirectories(environment: environment, namespace: namespace, user: ProcessEnvironment.user)
    hidesHeaders = options.noHeaders
    isQuiet = options.quiet
    format = try Self.format(options.output, environment["GRIDCTL_OUTPUT"])
    timeout = try Self.timeout(options.timeout, environment["GRIDCTL_TIMEOUT"])
  }

  private static func format(_ option: String?, _ variable: String?) throws(GridError) -> OutputFormat {
    guard let text = option ?? variable else { return .table }
    if let format = OutputFormat(rawValue: text) { return format }
    throw GridError(
      option == nil ? .configuration : .usage,
      "unknown output format \(NameRules.quoted(text)) in \(option == nil ? "GRIDCTL_OUTPUT" : "--output")",
      hint: "one of \(OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  private static func timeout(_ option: String?, _ variable: String?) throws(GridError) -> Duration {
    guard let text = option ?? variable else { return .seconds(5) }
    if let timeout = Duration(gridText: text), timeout > .zero { return timeout }
    throw GridError(
      option == nil ? .configuration : .usage,
      "\(NameRules.quoted(text)) in \(option == nil ? "GRIDCTL_TIMEOUT" : "--timeout") is no duration",
      hint: "write 250ms, 5s, 2m or 1h30m")
  }
}
