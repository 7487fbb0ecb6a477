internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridCore
internal import GridSystem

/// `gridctl context`
struct ContextCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context", abstract: "Clusters under names: add, choose, look at, check.",
    discussion: """
      Examples:
        gridctl context add prod -e 10.0.0.1:4743 -e 10.0.0.2:4743 --namespace shop --protected
        gridctl context use prod
        gridctl context show --effective
      """,
    subcommands: [
      List.self, Add.self, Use.self, Show.self, ContextEditCommand.self, Remove.self, ContextCheckCommand.self,
    ])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  static var store: ContextStore { ContextStore(environment: ProcessEnvironment.variables) }

  static let description = ListDescription(
    kind: "ContextList", noun: "context",
    columns: [
      Column("NAME", fit: .middle(12), priority: ColumnPriority.name) {
        "\(Column.text($0, "name"))\(Column.isTrue($0, "current") ? "*" : "")"
      },
      Column("NAMESPACE", field: "namespace"),
      Column("ENDPOINTS", fit: .end(16), priority: ColumnPriority.important, field: "endpoints"),
      Column("PROTECTED", fit: .whole) { Column.isTrue($0, "protected") ? "yes" : "-" },
      Column("DESCRIPTION", fit: .end(12), priority: ColumnPriority.detail, field: "description"),
      Column("TIMEOUT", wideOnly: true, field: "timeout"),
      Column("COLOR", wideOnly: true, field: "color"),
    ])

  /// The settings for commands that must work even when the context in force does not.
  static func plainSettings(_ global: GlobalOptions) throws(GridError) -> Settings {
    var flags = global.flags
    flags.context = nil
    flags.endpoints = []
    flags.namespace = nil
    var environment = ProcessEnvironment.variables
    environment["GRIDCTL_ENDPOINTS"] = nil
    return try .resolve(flags: flags, environment: environment)
  }

  struct List: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List the contexts; the one in force has a star.", aliases: ["list"])

    @OptionGroup var global: GlobalOptions

    func run() async throws {
      let settings = try ContextCommand.plainSettings(global)
      let store = ContextCommand.store
      let current =
        ProcessEnvironment.variables["GRIDCTL_CONTEXT"].flatMap { $0.isEmpty ? nil : $0 } ?? store.selected()
      var failures = 0
      var rows: [JSONValue] = []
      for name in store.names() {
        do throws(GridError) {
          rows.append(try store.read(name).json.with("current", .bool(name == current)))
        } catch {
          failures += 1
          settings.renderer.writer.warning(error.message)
        }
      }
      try settings.renderer.list(rows, ContextCommand.description)
      if failures > 0 { throw ExitCode(ExitStatus.partial.rawValue) }
    }
  }

  struct Add: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "Make a context.",
      discussion: """
        The options -e, --namespace, --secret-file, --token-file, --tls-ca, --tls-cert, --tls-key, -t and -o are kept in
        the context.

        Examples:
          gridctl context add prod -e 10.0.0.1:4743 --namespace shop --protected --prompt-color red
          gridctl context add staging --from prod -e 10.0.1.1:4743
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String
    @Option(help: ArgumentHelp("Begin with what this context has.", valueName: "context"))
    var from: String?
    @Option(help: ArgumentHelp("What it is.", valueName: "text"))
    var description: String?
    @Flag(inversion: .prefixedNo, help: "Whether destructive commands want the context's name.")
    var protected: Bool?
    @Option(
      help: ArgumentHelp(
        "Its colour in the prompt: \(ContextDefinition.colors.joined(separator: ", ")).", valueName: "color"))
    var promptColor: String?
    @Flag(help: "Replace a context of that name.")
    var force = false

    func run() async throws {
      try NameRules.validated(name, as: "context")
      let store = ContextCommand.store
      if PrivateFile.exists(store.path(of: name)), !force {
        throw GridError(
          .nameTaken, "there is a context \(name) already", hint: "gridctl context edit \(name), or pass --force")
      }
      var context = try from.map { from throws(GridError) in try store.read(from) } ?? ContextDefinition(name: name)
      context.name = name
      if !global.endpoint.isEmpty { context.settings.endpoints = global.endpoint.joined(separator: ",") }
      context.settings.namespace = global.namespace ?? context.settings.namespace
      // A context is used from everywhere.
      func file(_ typed: String?) throws(GridError) -> String? {
        try typed.map { path throws(GridError) in try WorkingDirectory.absolute(path) }
      }
      context.settings.secretFile = try file(global.secretFile) ?? context.settings.secretFile
      context.settings.tlsAuthority = try file(global.tlsAuthority) ?? context.settings.tlsAuthority
      context.settings.tlsCertificate = try file(global.tlsCertificate) ?? context.settings.tlsCertificate
      context.settings.tlsKey = try file(global.tlsKey) ?? context.settings.tlsKey
      context.token = try file(global.tokenFile).map { SecretReference(file: $0) } ?? context.token
      context.settings.timeout = global.timeout ?? context.settings.timeout
      context.settings.output = global.output ?? context.settings.output
      context.description = description ?? context.description
      context.isProtected = protected ?? context.isProtected
      context.color = promptColor ?? context.color
      let path = store.path(of: name)
      // Read back as the file will be: what is wrong is told now.
      do throws(GridError) {
        _ = try ContextDefinition(name: name, table: try ConfigurationTable(path: path, text: context.text))
      } catch {
        throw GridError(.usage, error.message, hint: error.hint)
      }
      try store.write(context)
      if !global.quiet { OutputWriter.shared.remark("context \(name) is in \(path)") }
    }
  }

  struct Use: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "use", abstract: "Choose the context that commands use from now on.",
      discussion: """
        Examples:
          gridctl context use prod
          gridctl context use -
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its name; - for the one before.", valueName: "context"))
    var name: String

    func run() async throws {
      let name = try ContextCommand.store.use(name.hasPrefix("context/") ? String(name.dropFirst(8)) : name)
      try OutputWriter.shared.foreign("\(name)\n")
      if let variable = ProcessEnvironment.variables["GRIDCTL_CONTEXT"], !variable.isEmpty, variable != name {
        OutputWriter.shared.warning("GRIDCTL_CONTEXT=\(variable) goes before it in this terminal")
      }
    }
  }

  struct Show: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show a context; without a name the one in force.",
      discussion: """
        With --effective every setting is shown with where it comes from: an option, the environment, the context,
        config.toml, or nothing.

        Examples:
          gridctl context show prod
          gridctl context show --effective
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its name.", valueName: "context"))
    var name: String?
    @Flag(help: "The settings a command would run with, and where each comes from.")
    var effective = false

    func run() async throws {
      var options = global
      if let name { options.context = name }
      if !effective, let name {
        // Also one that no command may use as it is.
        let settings = try ContextCommand.plainSettings(global)
        return try Self.show(try ContextCommand.store.read(name), settings)
      }
      let settings = try Settings(options)
      if effective { return try settings.renderer.list(settings.effective, Settings.effectiveDescription) }
      guard let context = settings.context else {
        throw GridError(.notFound, "no context is in force", hint: "gridctl context use NAME, or: gridctl context ls")
      }
      try Self.show(context, settings)
    }

    private static func show(_ context: ContextDefinition, _ settings: Settings) throws {
      if settings.format == .table || settings.format == .wide {
        return try settings.renderer.writer.foreign("# \(ContextCommand.store.path(of: context.name))\n\(context.text)")
      }
      try settings.renderer.object(context.json, kind: "Context", noun: "context")
    }
  }

  struct Remove: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove a context; the cluster is not touched.", aliases: ["remove"])

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its name.", valueName: "context"))
    var name: String

    func run() async throws {
      let store = ContextCommand.store
      try NameRules.validated(name, as: "context")
      var settings = try ContextCommand.plainSettings(global)
      settings.context = try? store.read(name)
      try await Confirmation(settings: settings).require("remove context \(name)", asksAnyway: true)
      try store.remove(name)
    }
  }
}

extension Settings {
  static let effectiveDescription = ListDescription(
    kind: "SettingList", noun: "setting",
    columns: [
      Column("SETTING", fit: .whole, priority: ColumnPriority.name, field: "name"),
      Column("VALUE", fit: .middle(16), priority: ColumnPriority.important, field: "value"),
      Column("SOURCE", fit: .end(12), field: "source"),
    ])

  /// Every setting with its value and where it comes from.
  var effective: [JSONValue] {
    func row(_ name: String, _ value: String, _ source: SettingSource) -> JSONValue {
      ["name": .string(name), "value": .string(value), "source": .string("\(source)")]
    }
    let found = endpoints.isEmpty ? "nodes of this machine" : endpoints.joined(separator: ",")
    return [
      row("context", context?.name ?? "", sources.context), row("endpoints", found, sources.endpoints),
      row("namespace", namespace, sources.namespace), row("secret-file", secretPath, sources.secretFile),
      row("tls", [tls?.authority, tls?.certificate].compactMap(\.self).joined(separator: ","), sources.tls),
      row("token", token?.text ?? "", sources.token),
      row("output", "\(format.name)", sources.output),
      row("timeout", HumanText.duration(timeout), sources.timeout), row("color", color.rawValue, sources.color),
      row("protected", context?.isProtected == true ? "yes" : "no", context.map { .context($0.name) } ?? .standard),
    ]
  }
}
