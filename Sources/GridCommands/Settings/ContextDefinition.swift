internal import GridCore

/// A cluster and how to reach it, under a name: `contexts/NAME.toml`.
struct ContextDefinition: Sendable, Equatable {
  var name: String
  var settings = SettingsFile()
  var description: String?
  /// Whether destructive verbs want the context's name first.
  var isProtected = false
  /// The colour of its name in the prompt.
  var color: String?
  /// How to get at the token; never the token itself.
  var token: SecretReference?

  static let colors = ["red", "green", "yellow", "blue", "magenta", "cyan"]

  /// The numbers of the escape sequences of the colours.
  static let escapeNumbers = [
    "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36,
  ]

  init(name: String) { self.name = name }

  /// Reads a context's file.
  ///
  /// - Throws: ``GridError/Code/configuration`` with the path and what is wrong.
  init(name: String, table: ConfigurationTable) throws(GridError) {
    self.name = name
    try table.refuseOthers(than: [
      "endpoints", "namespace", "secret-file", "description", "protected", "color", "timeout", "output", "token", "tls",
    ])
    settings = SettingsFile(
      endpoints: try table.list("endpoints")?.joined(separator: ","), namespace: try table.text("namespace"),
      secretFile: try table.path("secret-file"), output: try table.text("output"), timeout: try table.text("timeout"))
    description = try table.text("description")
    isProtected = try table.flag("protected") ?? false
    color = try table.text("color")
    token = try table.text("token").map { text throws(GridError) in try Self.token(text, table.path) }
    if let files = try table.table("tls") {
      try files.refuseOthers(than: ["ca", "cert", "key"])
      (settings.tlsAuthority, settings.tlsCertificate) = (try files.path("ca"), try files.path("cert"))
      settings.tlsKey = try files.path("key")
    }
    try check(table.path)
  }

  private static func token(_ text: String, _ path: String) throws(GridError) -> SecretReference {
    let reference = try SecretReference(parsing: text)
    if case .file(let file) = reference.place, !file.hasPrefix("/") {
      throw GridError(.configuration, "\(path): token must have an absolute path: file:/PATH")
    }
    return reference
  }

  /// A wrong value is told when the file is read, not when it is first needed.
  private func check(_ path: String) throws(GridError) {
    do throws(GridError) {
      if let color, !Self.colors.contains(color) {
        throw GridError(
          .usage, "unknown color \(NameRules.quoted(color))", hint: "one of \(Self.colors.joined(separator: ", "))")
      }
      if let text = settings.endpoints { _ = try SettingRules.endpoints(text) }
      if let text = settings.timeout { _ = try SettingRules.timeout(text) }
      if let text = settings.output { _ = try OutputFormat(parsing: text) }
      _ = try TLSFiles(
        authority: settings.tlsAuthority, certificate: settings.tlsCertificate, key: settings.tlsKey,
        names: ("ca in [tls]", "cert in [tls]", "key in [tls]"))
      if let text = settings.namespace { try NameRules.validated(text, as: "namespace") }
    } catch {
      throw GridError(.configuration, "\(path): \(error.message)", hint: error.hint)
    }
  }

  /// The context as its file holds it, in TOML.
  var text: String {
    var lines: [String] = []
    func add(_ key: String, _ value: String?) {
      if let value { lines.append("\(key) = \(JSONValue.string(value).text)") }
    }
    if let endpoints = settings.endpoints {
      let list = endpoints.split(separator: ",").map { JSONValue.string(String($0.drop { $0 == " " })) }
      lines.append("endpoints = [\(list.map(\.text).joined(separator: ", "))]")
    }
    add("namespace", settings.namespace)
    add("secret-file", settings.secretFile)
    add("description", description)
    if isProtected { lines.append("protected = true") }
    add("color", color)
    add("timeout", settings.timeout)
    add("output", settings.output)
    add("token", token?.text)
    if settings.tlsAuthority ?? settings.tlsCertificate ?? settings.tlsKey != nil {
      lines += ["", "[tls]"]
      add("ca", settings.tlsAuthority)
      add("cert", settings.tlsCertificate)
      add("key", settings.tlsKey)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The context for lists and documents.
  var json: JSONValue {
    [
      "name": .string(name), "description": .optional(description), "protected": .bool(isProtected),
      "endpoints": .array((settings.endpoints ?? "").split(separator: ",").map { .string(String($0)) }),
      "namespace": .optional(settings.namespace), "secretFile": .optional(settings.secretFile),
      "timeout": .optional(settings.timeout),
      "output": .optional(settings.output), "color": .optional(color), "token": .optional(token?.text),
      "tls": [
        "ca": .optional(settings.tlsAuthority), "cert": .optional(settings.tlsCertificate),
        "key": .optional(settings.tlsKey),
      ],
    ]
  }
}
