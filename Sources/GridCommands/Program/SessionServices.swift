internal import ArgumentParser
package import GridClient
package import GridCore
package import GridSystem

/// What a session of many commands needs to know before the first of them, settled as for any command.
package struct SessionServices: Sendable {
  private let settings: Settings
  private let flags: SettingFlags
  /// The environment that the session's commands see.
  package let commandVariables: [String: String]

  /// - Throws: as every command does for wrong options and variables.
  package init(_ options: GlobalOptions, variables: [String: String] = ProcessEnvironment.variables) throws(GridError) {
    try self.init(options.flags, variables)
  }

  private init(_ flags: SettingFlags, _ variables: [String: String]) throws(GridError) {
    let settings = try Settings(flags, environment: variables)
    self.settings = settings
    self.flags = flags
    var variables = variables
    // What was given to the session holds for its commands, whatever is chosen elsewhere meanwhile.
    variables["GRIDCTL_CONTEXT"] = settings.context?.name
    variables["GRIDCTL_NAMESPACE"] = settings.namespace
    variables["GRIDCTL_SECRET_FILE"] = settings.secretFile
    variables["GRIDCTL_TLS_CA"] = settings.tls?.authority
    variables["GRIDCTL_TLS_CERT"] = settings.tls?.certificate
    variables["GRIDCTL_TLS_KEY"] = settings.tls?.key
    // That of a context comes with the context.
    if case .file(let path) = settings.token?.place { variables["GRIDCTL_TOKEN_FILE"] = path }
    variables["GRIDCTL_ENDPOINTS"] = settings.endpoints.isEmpty ? nil : settings.endpoints.joined(separator: ",")
    if let output = flags.output { variables["GRIDCTL_OUTPUT"] = output }
    if let timeout = flags.timeout { variables["GRIDCTL_TIMEOUT"] = timeout }
    commandVariables = variables
  }

  /// What a program of the user gets that is started with `variables`: see ``ProcessEnvironment/forPrograms(_:)``.
  package static func programEnvironment(_ variables: [String: String]) -> ProgramEnvironment {
    ProcessEnvironment.forPrograms(variables)
  }

  /// The same session in another context.
  ///
  /// - Throws: ``GridError/Code/notFound`` when there is none of that name.
  package func using(context: String, variables: [String: String] = ProcessEnvironment.variables) throws(GridError)
    -> SessionServices
  {
    var flags = flags
    (flags.context, flags.endpoints, flags.namespace, flags.secretFile) = (context, [], nil, nil)
    (flags.tlsAuthority, flags.tlsCertificate, flags.tlsKey) = (nil, nil, nil)
    flags.tokenFile = nil
    var variables = variables
    // The variables describe where the session began.
    for name in ["CONTEXT", "ENDPOINTS", "NAMESPACE", "SECRET_FILE", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"] {
      variables["GRIDCTL_" + name] = nil
    }
    return try SessionServices(flags, variables)
  }

  /// Options of the session that no variable stands for, as its commands take them.
  package var commandOptions: [String] {
    var options: [String] = []
    if let color = flags.color { options += ["--color", color] }
    if let confirmed = flags.confirm { options += ["--confirm", confirmed] }
    if flags.agrees { options.append("--yes") }
    if flags.forbidsInput { options.append("--no-input") }
    if flags.isQuiet { options.append("--quiet") }
    return options
  }

  package var namespace: String { settings.namespace }
  /// The context in force, nil for none.
  package var context: String? { settings.context?.name }
  package var isProtected: Bool { settings.context?.isProtected ?? false }
  /// The context's colour, as the number of its escape sequence.
  package var contextColor: Int? {
    settings.context?.color.flatMap { ContextDefinition.escapeNumbers[$0] }
  }
  /// Whether a stream of the process gets colour.
  package var allowsColor: Bool { OutputWriter.shared.allowsColor(on: .output, settings.color) }
  package var forbidsInput: Bool { settings.forbidsInput }
  /// The names of the contexts there are.
  package var contexts: [String] { ContextStore(environment: commandVariables).names() }
  package var timeout: Duration { settings.timeout }
  /// What `--timeout` said; nil when it was not given.
  package var givenTimeout: Duration? { flags.timeout == nil ? nil : settings.timeout }
  /// Says what becomes of what is typed where standard input is a terminal.
  package func announceStandardInput(_ what: String) { StandardInput.announce(what, isQuiet: isQuiet) }
  package var isQuiet: Bool { settings.isQuiet }
  /// The directory of the files that sessions of every namespace share.
  package var stateDirectory: String { ContextStore(environment: commandVariables).stateDirectory }
  /// The directory of what the user has written.
  package var configurationDirectory: String { ContextStore(environment: commandVariables).configurationDirectory }

  /// A way into the cluster that the options name; not connected yet.
  package var client: ClusterClient { settings.client() }
  /// Where the options say that nodes are.
  package var places: ClusterPlaces { settings.places }

  /// Makes a directory that only its user reads.
  package static func makeDirectory(_ path: String) throws(GridError) { try PrivateDirectory.make(path) }

  /// The clock of the machine.
  package static var clock: any GridClock { SystemClock() }

  /// Writes an error as commands do: in three parts, or as JSON when the format asks for that.
  ///
  /// - Parameter origin: where in the session it happened.
  package static func report(
    _ error: GridError, format: String?, origin: CommandOrigin = CommandOrigin(), to sink: any OutputSink
  ) {
    ErrorReport(error: error, origin: origin).write(format: outputFormat(format), color: .auto, to: OutputWriter(sink))
  }

  /// Writes a value as commands do.
  ///
  /// - Throws: what the sink throws.
  package static func show(_ value: JSONValue, format: String?, to sink: any OutputSink) throws {
    let renderer = Renderer(format: outputFormat(format), writer: OutputWriter(sink))
    switch (value, renderer.format) {
    case (_, .json): try renderer.writer.output(TerminalText.json(value.indented()) + "\n")
    case (_, .yaml): try renderer.writer.output(YAMLEmitter.document(value))
    case (.string(let text), .table), (.string(let text), .wide), (.string(let text), .tsv), (.string(let text), .name):
      try renderer.writer.foreign(text + "\n")
    case (.object, .table), (.object, .wide), (.array, .table), (.array, .wide):
      try renderer.writer.output(TerminalText.json(value.indented()) + "\n")
    default: try renderer.writer.output(TerminalText.json(value.text) + "\n")
    }
  }

  private static func outputFormat(_ name: String?) -> OutputFormat {
    name.flatMap { try? OutputFormat(parsing: $0) } ?? .table
  }

  /// The text without anything a terminal would act on.
  package static func printable(_ text: String) -> String { TerminalText.printable(text) }

  /// Text of others in lines, as a sink may have it: as it is, but without anything a terminal would act on.
  package static func foreign(_ text: String, to sink: any OutputSink) throws(GridError) {
    try OutputWriter(sink).foreign(text)
  }

  /// The version of gridctl.
  package static var version: String { GridVersion.current }

  /// A length of time as tables show it.
  package static func text(of duration: Duration) -> String { HumanText.duration(duration.inSeconds) }

  /// What an exit code means, nil for a code that is none of ours.
  package static func meaning(ofExitCode code: Int32) -> String? { ExitStatus(rawValue: code)?.meaning }

  /// Checks an output format's name.
  package static func isFormat(_ text: String) -> Bool { (try? OutputFormat(parsing: text)) != nil }

  /// Terminal cells that a text takes.
  package static func width(of text: String) -> Int { TerminalText.width(text) }
}

/// The command tree as help and completion show it.
package enum CommandHelp {
  /// A command and what it does.
  package struct Entry: Sendable, Equatable {
    package var name: String
    package var abstract: String
  }

  /// The commands below the one that `words` name; empty for a leaf or an unknown word.
  package static func commands(below words: [String] = []) -> [Entry] {
    // Asked for every line of a session: the tree would cost the first one more than its work.
    var command: any ParsableCommand.Type = Gridctl.self
    for word in words {
      guard let next = command.configuration.subcommands.first(where: { name(of: $0) == word }) else { return [] }
      command = next
    }
    return command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .map { Entry(name: name(of: $0), abstract: $0.configuration.abstract) }
  }

  /// The help of the command or topic that `words` name, nil when they name none.
  package static func help(for words: [String], columns: Int? = nil) -> String? {
    try? HelpText.of(words, width: columns)
  }

  /// The first example of the command that `words` begin with, as it is typed in a session; nil when it has none.
  package static func example(for words: [String]) -> String? {
    let example = CommandTree.gridctl.command(at: path(of: words)).flatMap { HelpBlocks($0.discussion).examples.first }
    return example.flatMap { $0.hasPrefix("gridctl ") ? String($0.dropFirst(8)) : nil }
  }

  /// The usage line of the command that `words` begin with, nil when they name none.
  package static func usage(for words: [String]) -> String? {
    let path = path(of: words)
    return path.isEmpty ? nil : HelpPage(tree: .gridctl, width: nil).usage(of: path)
  }

  /// The names of the command that a line begins with.
  private static func path(of words: [String]) -> [String] {
    var walk = CompletionWalk(tree: .gridctl)
    for word in words { walk.take(word) }
    return walk.names
  }

  static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? String(describing: command).lowercased()
  }
}
