internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// `gridctl context check`
struct ContextCheckCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Connect to contexts, and say what is wrong with those that do not work.",
    discussion: """
      Ends with 2 when one of them does not work.

      Examples:
        gridctl context check prod
        gridctl context check --all -o json
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("Its name; without it the one in force.", valueName: "context"))
  var name: String?
  @Flag(help: "Every context.")
  var all = false

  static let description = ListDescription(
    kind: "ContextCheckList", noun: "context",
    columns: [
      .actorName,
      Column("OK", fit: .whole, priority: ColumnPriority.important, streamWidth: 3) {
        Column.isTrue($0, "ok") ? "yes" : "no"
      },
      Column("NODE", field: "node"), .duration("RTT", seconds: "rttSeconds"),
      Column("MESSAGE", fit: .end(20), priority: ColumnPriority.important, streamWidth: 40, field: "message"),
    ])

  func run() async throws {
    let settings = try ContextCommand.plainSettings(global)
    let names = try names()
    var rows: [JSONValue] = []
    var hints: [String] = []
    for name in names {
      let (row, hint) = await check(name)
      rows.append(row)
      if let hint { hints.append("\(name): \(hint)") }
    }
    try settings.renderer.list(rows, Self.description)
    if settings.renderer.format.isTable { hints.forEach(settings.renderer.writer.remark) }
    if !rows.allSatisfy({ Column.isTrue($0, "ok") }) { throw ExitCode(ExitStatus.negative.rawValue) }
  }

  private func names() throws(GridError) -> [String] {
    let store = ContextCommand.store
    if all { return store.names() }
    if let name { return [try store.read(name).name] }
    guard let context = try Settings(global).context else {
      throw GridError(.notFound, "no context is in force", hint: "gridctl context check NAME, or --all")
    }
    return [context.name]
  }

  /// What is shown of it, and what to do where it does not work.
  private func check(_ name: String) async -> (row: JSONValue, hint: String?) {
    var options = global
    options.context = name
    do throws(GridError) {
      let settings = try Settings(options)
      let clock = SystemClock()
      let cluster = settings.client(patience: settings.timeout)
      let connection = try await cluster.connection(timeout: settings.timeout)
      let began = clock.now()
      _ = try await connection.ask(PingRequest(), timeout: settings.timeout)
      let row: JSONValue = [
        "name": .string(name), "ok": true, "node": .string(connection.nodeName),
        "rttSeconds": .number((clock.now() - began).inSeconds), "code": .null, "message": .null, "hint": .null,
      ]
      return (row, nil)
    } catch {
      let row: JSONValue = [
        "name": .string(name), "ok": false, "node": .null, "rttSeconds": .null, "code": .string(error.code.label),
        "message": .string(error.message), "hint": .optional(error.hint),
      ]
      return (row, error.hint)
    }
  }
}

/// `gridctl context edit`
struct ContextEditCommand: OwnProcessCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Change a context in an editor.",
    discussion: """
      The editor is VISUAL, EDITOR or vi. What it leaves is checked before it takes the file's place.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("Its name.", valueName: "context"))
  var name: String

  func run() async throws {
    let store = ContextCommand.store
    try NameRules.validated(name, as: "context")
    let path = store.path(of: name)
    guard PrivateFile.exists(path) else { throw store.missing(name) }
    let draft = "\(path).\(getpid()).edit"
    try PrivateFile.replace(draft, with: try UserFile.read(path, as: .configuration))
    let environment = ProcessEnvironment.variables
    let editor = [environment["VISUAL"], environment["EDITOR"], "vi"].compactMap { $0 }.first { !$0.isEmpty } ?? "vi"
    CommandEnvironment.takeScreen(true)
    defer { CommandEnvironment.takeScreen(false) }
    let status: ProcessExitStatus
    do {
      status = try await ForegroundProgram.run {
        () async throws(GridError) in
        try await AttachedChild.start(
          ["/bin/sh", "-c", "exec \(editor) \"$1\"", "sh", draft], environment: ProcessEnvironment.forPrograms())
      }
    } catch {
      unlink(draft)
      throw error
    }
    guard status.isSuccess else {
      unlink(draft)
      throw GridError(.failed, "the editor \(NameRules.quoted(editor)) ended with \(status)", hint: "set EDITOR")
    }
    let bytes = try UserFile.read(draft, as: .configuration)
    do throws(GridError) {
      let table = try ConfigurationTable(path: path, text: try String(strictly: bytes, from: path, .configuration))
      _ = try ContextDefinition(name: name, table: table)
    } catch {
      throw GridError(error.code, error.message, hint: "the context is unchanged; what you wrote is in \(draft)")
    }
    try PrivateFile.replace(path, with: bytes)
    unlink(draft)
  }
}
