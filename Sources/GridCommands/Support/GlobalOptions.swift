internal import ArgumentParser
internal import GridCore
internal import GridSystem

/// The options every command takes, before or after it.
package struct GlobalOptions: ParsableArguments {
  package init() {}

  @Option(
    name: [.customShort("C"), .long],
    help: ArgumentHelp("The context: a cluster under a name. An empty name is none.", valueName: "context"))
  var context: String?

  @Option(
    name: [.customShort("e"), .long],
    help: ArgumentHelp("Node to talk to: HOST:PORT or unix:PATH; may be repeated.", valueName: "endpoint"))
  var endpoint: [String] = []

  @Option(help: ArgumentHelp("The cluster (default: default).", valueName: "namespace"))
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "The file with the secret of the cluster, for HOST:PORT (default: the one that its first node made).",
      valueName: "file"))
  var secretFile: String?

  @Option(
    name: .customLong("tls-ca"),
    help: ArgumentHelp(
      "The authority that has issued the certificates of the cluster, for HOST:PORT with TLS; see: gridctl help tls.",
      valueName: "file"))
  var tlsAuthority: String?

  @Option(name: .customLong("tls-cert"), help: ArgumentHelp("The certificate that is shown.", valueName: "file"))
  var tlsCertificate: String?

  @Option(name: .customLong("tls-key"), help: ArgumentHelp("The key of that certificate.", valueName: "file"))
  var tlsKey: String?

  @Option(
    help: ArgumentHelp(
      "A file with a token, which HOST:PORT is shown instead of the secret; see: gridctl token --help.",
      valueName: "file"))
  var tokenFile: String?

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp(
      "table, wide, json, jsonl, yaml, name, tsv, jsonpath=EXPR or columns=SPEC; see: gridctl help output.",
      valueName: "format"))
  var output: String?

  @Flag(help: "Leave the header line out.")
  var noHeaders = false

  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp("How long to wait for an answer (default: 5s).", valueName: "duration"))
  var timeout: String?

  @Option(help: ArgumentHelp("Colour: auto, always or never (default: auto).", valueName: "when"))
  var color: String?

  @Flag(name: [.customShort("q"), .long], help: "No progress and no remarks on standard error.")
  var quiet = false

  @Flag(name: [.customShort("v"), .long], help: "Say more on standard error; may be given twice.")
  var verbose: Int

  @Flag(help: "Never ask anything, even on a terminal: do it, or in a protected context refuse.")
  var noInput = false

  @Flag(
    name: [.customShort("y"), .long],
    help: "Do not ask before something is removed or stopped; see: gridctl help questions.")
  var yes = false

  @Option(
    help: ArgumentHelp("Confirm a destructive command in the protected context of this name.", valueName: "context"))
  var confirm: String?

  /// Whether the command goes where the session is.
  var namesNoNode: Bool { endpoint.isEmpty && namespace == nil && context == nil }

  /// What was typed, as values.
  var flags: SettingFlags {
    SettingFlags(
      context: context, endpoints: endpoint, namespace: namespace, secretFile: secretFile, tokenFile: tokenFile,
      tlsAuthority: tlsAuthority, tlsCertificate: tlsCertificate, tlsKey: tlsKey, output: output, timeout: timeout,
      color: color, confirm: confirm, hidesHeaders: noHeaders, isQuiet: quiet, forbidsInput: noInput,
      says: verbose > 1 ? .most : verbose > 0 ? .more : .normal, agrees: yes)
  }
}

extension Settings {
  /// The environment of the process, or what a session put in its place.
  static var variables: [String: String] { CommandEnvironment.current?.variables ?? ProcessEnvironment.variables }

  /// The options with the environment, context and configuration of this process behind them.
  ///
  /// - Throws: ``GridError/Code/usage``, ``GridError/Code/configuration`` or ``GridError/Code/notFound``.
  init(_ options: GlobalOptions, environment: [String: String] = Settings.variables) throws(GridError) {
    try self.init(options.flags, environment: environment)
  }

  init(_ flags: SettingFlags, environment: [String: String]) throws(GridError) {
    let store = ContextStore(environment: environment)
    let configuration = try SettingsFile.read(store.configurationPath)
    let found = try store.inForce(flag: flags.context, environment: environment, configuration: configuration)
    self = try .resolve(flags: flags, environment: environment, context: found?.0, configuration: configuration)
    if let source = found?.1 { sources.context = source }
  }
}
