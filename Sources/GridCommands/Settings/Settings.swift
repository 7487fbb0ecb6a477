internal import GridCore
internal import GridSystem

/// What the user has typed about where and how; nil for what was not given.
struct SettingFlags: Sendable {
  var context: String?
  var endpoints: [String] = []
  var namespace: String?
  var secretFile: String?
  var tokenFile: String?
  var tlsAuthority: String?
  var tlsCertificate: String?
  var tlsKey: String?
  var output: String?
  var timeout: String?
  var color: String?
  var confirm: String?
  var hidesHeaders = false
  var isQuiet = false
  var forbidsInput = false
  var says = Verbosity.normal
  var agrees = false

  /// How much is said on standard error.
  enum Verbosity: Sendable {
    case normal, more, most
  }
}

/// The options of all commands with the environment, the context, the configuration and the defaults behind them, each
/// checked.
struct Settings: Sendable {
  /// Where each value comes from.
  struct Sources: Sendable, Equatable {
    var context = SettingSource.standard
    var endpoints = SettingSource.standard
    var namespace = SettingSource.standard
    var secretFile = SettingSource.standard
    var tls = SettingSource.standard
    var token = SettingSource.standard
    var output = SettingSource.standard
    var timeout = SettingSource.standard
    var color = SettingSource.standard
  }

  /// The context in force; nil when there is none.
  var context: ContextDefinition?
  /// Nodes to try, in order; empty means any node of the namespace on this machine.
  var endpoints: [String] = []
  var namespace = "default"
  /// The file with the secret of the namespace; nil for the one in its state directory.
  var secretFile: String?
  /// The files of TLS, for nodes over TCP; nil without.
  var tls: TLSFiles?
  /// Where the token is that was given, whether or not it is shown; see ``shownToken``.
  var token: SecretReference?
  var format = OutputFormat.table
  /// How long an answer may take; always positive.
  var timeout = Duration.seconds(5)
  var color = ColorMode.auto
  var hidesHeaders = false
  var isQuiet = false
  var verbosity = SettingFlags.Verbosity.normal
  /// Never asks, even on a terminal (`--no-input`).
  var forbidsInput = false
  /// Says yes to what would be asked (`--yes`); not to a protected context.
  var agrees = false
  /// What `--confirm` names.
  var confirmed: String?
  var directories: GridDirectories
  var sources = Sources()

  /// Precedence: option, environment, context, configuration, default. An empty variable is as good as none.
  ///
  /// - Parameters:
  ///   - context: the context in force and how it came to be; nil for none.
  ///   - configuration: what `config.toml` says.
  /// - Throws: ``GridError/Code/usage`` that names the wrong option, ``GridError/Code/configuration`` that names the
  ///   wrong variable or file.
  static func resolve(
    flags: SettingFlags, environment: [String: String], context: ContextDefinition? = nil,
    configuration: SettingsFile = SettingsFile()
  ) throws(GridError) -> Settings {
    let resolver = SettingResolver(environment: environment, context: context, configuration: configuration)
    var settings = Settings(
      directories: GridDirectories(environment: environment, namespace: "default", user: ProcessEnvironment.user))
    settings.context = context
    (settings.namespace, settings.sources.namespace) = try resolver.value(
      flags.namespace, "--namespace", "GRIDCTL_NAMESPACE", \.namespace, settings.namespace
    ) { text throws(GridError) in try NameRules.validated(text, as: "namespace") }
    (settings.secretFile, settings.sources.secretFile) = try resolver.value(
      flags.secretFile, "--secret-file", "GRIDCTL_SECRET_FILE", \.secretFile, nil, SettingRules.secretFile)
    try settings.takeTLS(flags, resolver)
    try settings.takeToken(flags, environment)
    (settings.format, settings.sources.output) = try resolver.value(
      flags.output, "--output", "GRIDCTL_OUTPUT", \.output, settings.format, OutputFormat.init(parsing:))
    (settings.timeout, settings.sources.timeout) = try resolver.value(
      flags.timeout, "--timeout", "GRIDCTL_TIMEOUT", \.timeout, settings.timeout, SettingRules.timeout)
    (settings.color, settings.sources.color) = try resolver.value(
      flags.color, "--color", nil, \.color, settings.color, ColorMode.init(parsing:))
    // Joined, so that several options and the variable's list are one text with one rule.
    (settings.endpoints, settings.sources.endpoints) = try resolver.value(
      flags.endpoints.isEmpty ? nil : flags.endpoints.joined(separator: ","), "--endpoint", "GRIDCTL_ENDPOINTS",
      \.endpoints, [], SettingRules.endpoints)
    settings.directories = GridDirectories(
      environment: environment, namespace: settings.namespace, user: ProcessEnvironment.user)
    settings.takeSwitches(flags)
    return settings
  }

  private mutating func takeTLS(_ flags: SettingFlags, _ resolver: SettingResolver) throws(GridError) {
    let (authority, source) = try resolver.value(
      flags.tlsAuthority, "--tls-ca", "GRIDCTL_TLS_CA", \.tlsAuthority, nil, SettingRules.file)
    let (certificate, _) = try resolver.value(
      flags.tlsCertificate, "--tls-cert", "GRIDCTL_TLS_CERT", \.tlsCertificate, nil, SettingRules.file)
    let (key, _) = try resolver.value(flags.tlsKey, "--tls-key", "GRIDCTL_TLS_KEY", \.tlsKey, nil, SettingRules.file)
    tls = try TLSFiles(authority: authority, certificate: certificate, key: key)
    sources.tls = source
  }

  /// Option, variable, context: a token is no setting of `config.toml`, which holds for every cluster.
  private mutating func takeToken(_ flags: SettingFlags, _ environment: [String: String]) throws(GridError) {
    if let path = flags.tokenFile {
      guard !path.isEmpty else { throw GridError(.usage, "--token-file: the file with the token has no name") }
      (token, sources.token) = (SecretReference(file: path), .flag("--token-file"))
    } else if let path = environment["GRIDCTL_TOKEN_FILE"], !path.isEmpty {
      (token, sources.token) = (SecretReference(file: path), .environment("GRIDCTL_TOKEN_FILE"))
    } else if let context, let reference = context.token {
      (token, sources.token) = (reference, .context(context.name))
    }
  }

  private mutating func takeSwitches(_ flags: SettingFlags) {
    hidesHeaders = flags.hidesHeaders
    isQuiet = flags.isQuiet
    verbosity = flags.says
    forbidsInput = flags.forbidsInput
    agrees = flags.agrees
    confirmed = flags.confirm
  }

  /// Writes as these settings say.
  var renderer: Renderer {
    Renderer(format: format, hidesHeaders: hidesHeaders, color: color, writer: .shared)
  }
}

/// What values of settings look like.
enum SettingRules {
  static func timeout(_ text: String) throws(GridError) -> Duration {
    let timeout = try Duration.argument(text)
    guard timeout > .zero else { throw GridError(.usage, "a time-out must be longer than 0") }
    return timeout
  }

  static func file(_ text: String) throws(GridError) -> String? {
    guard !text.isEmpty else { throw GridError(.usage, "the file has no name") }
    return text
  }

  static func secretFile(_ text: String) throws(GridError) -> String? {
    guard !text.isEmpty else { throw GridError(.usage, "the file with the secret has no name") }
    return text
  }

  /// - Parameter text: endpoints separated by commas.
  static func endpoints(_ text: String) throws(GridError) -> [String] {
    var endpoints: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      var trimmed = part.drop(while: \.isWhitespace)
      while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
      let endpoint = String(trimmed)
      guard isEndpoint(endpoint) else {
        throw GridError(
          .usage, "\(NameRules.quoted(endpoint)) is no endpoint", hint: "write HOST:PORT, [IPV6]:PORT or unix:PATH")
      }
      endpoints.append(endpoint)
    }
    return endpoints
  }

  /// Whether a text has the form of an endpoint; what is behind it is found out by connecting.
  private static func isEndpoint(_ text: String) -> Bool {
    // A socket's path has room for 107 bytes.
    if text.hasPrefix("unix:") { return (1...107).contains(text.utf8.count - 5) }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return false }
    let host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
    return (1...65_535).contains(port) && !host.isEmpty && (isBracketed || !host.contains(":"))
  }
}

/// Finds one setting after the other.
private struct SettingResolver {
  let environment: [String: String]
  let context: ContextDefinition?
  let configuration: SettingsFile

  func value<Value>(
    _ flag: String?, _ flagName: String, _ variableName: String?, _ key: KeyPath<SettingsFile, String?>,
    _ standard: Value, _ parse: (String) throws(GridError) -> Value
  ) throws(GridError) -> (Value, SettingSource) {
    let source: SettingSource
    let text: String
    if let flag {
      (text, source) = (flag, .flag(flagName))
    } else if let variableName, let variable = environment[variableName], !variable.isEmpty {
      (text, source) = (variable, .environment(variableName))
    } else if let context, let value = context.settings[keyPath: key] {
      (text, source) = (value, .context(context.name))
    } else if let value = configuration[keyPath: key] {
      (text, source) = (value, .configuration)
    } else {
      return (standard, .standard)
    }
    do throws(GridError) {
      return (try parse(text), source)
    } catch {
      throw source.blame(error)
    }
  }
}
