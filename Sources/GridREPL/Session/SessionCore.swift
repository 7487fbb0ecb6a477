internal import GridClient
internal import GridCommands
internal import GridCore
internal import Synchronization

/// What all lines of a session share. Called from any task.
final class SessionCore: Sendable {
  /// What `:set` changes.
  struct Settings: Sendable {
    /// Stand for options that a line does not give.
    var variables: [String: String]
    var showsTiming = false
    var stopsOnError: Bool
    var prompt: PromptStyle
  }

  private struct State {
    var values = SessionValues()
    var settings: Settings
    var services: SessionServices
    var lastError: GridError?
    var exitCode: Int32?
    var depth = 0
  }

  /// How deep `:source` may nest.
  private static let maximumDepth = 16

  /// The way into the cluster: one node at a time, another one when it is lost.
  let cluster: ClusterClient
  let jobs = JobTable()
  /// The terminal, nil in a script.
  let terminal: Terminal?
  /// Whether a payload `-` reads the process's standard input: not when lines come from there.
  let allowsStandardInput: Bool
  private let state: Mutex<State>
  private let feedBox = Mutex<EventFeed?>(nil)

  init(
    services: SessionServices, cluster: ClusterClient, terminal: Terminal?, settings: Settings,
    allowsStandardInput: Bool
  ) {
    self.cluster = cluster
    self.terminal = terminal
    self.allowsStandardInput = allowsStandardInput
    state = Mutex(State(settings: settings, services: services))
  }

  /// The events that are shown, when there is a terminal to show them on.
  var feed: EventFeed? {
    get { feedBox.withLock { $0 } }
    set { feedBox.withLock { $0 = newValue } }
  }

  /// Where the session is, and what was given to it.
  var services: SessionServices { state.withLock { $0.services } }

  /// Goes to another context: its variables and its prompt.
  func enter(_ services: SessionServices) {
    state.withLock { state in
      state.services = services
      let kept = ["GRIDCTL_OUTPUT", "GRIDCTL_TIMEOUT"].map { ($0, state.settings.variables[$0]) }
      state.settings.variables = services.commandVariables
      for (name, value) in kept where state.settings.variables[name] == nil { state.settings.variables[name] = value }
      let format = state.settings.prompt.format
      state.settings.prompt = PromptStyle(services)
      state.settings.prompt.format = format
    }
  }

  var isInteractive: Bool { terminal != nil }

  // MARK: Values and settings

  var values: SessionValues { state.withLock { $0.values } }
  func change(_ body: (inout SessionValues) -> Void) { state.withLock { body(&$0.values) } }

  var settings: Settings { state.withLock { $0.settings } }
  func changeSettings(_ body: (inout Settings) -> Void) { state.withLock { body(&$0.settings) } }

  var outputFormat: String? { settings.variables["GRIDCTL_OUTPUT"] }

  var timeout: Duration {
    settings.variables["GRIDCTL_TIMEOUT"].flatMap { Duration(gridText: $0) } ?? services.timeout
  }

  /// The last error, for `:explain`.
  var lastError: GridError? { state.withLock { $0.lastError } }

  /// Takes how a line ended as `$?` and `$!`.
  func ended(code: Int32, error: GridError?) {
    state.withLock { state in
      state.values.code = code
      if let error {
        state.lastError = error
        state.values.fail([
          "code": .integer(Int64(code)), "name": .string(error.code.label), "message": .string(error.message),
          "hint": .optional(error.hint), "cause": .optional(error.cause),
        ])
      }
    }
  }

  // MARK: Leaving

  /// Asks the session to end with this code after the line at work. It never touches a node.
  func leave(_ code: Int32) { state.withLock { $0.exitCode = $0.exitCode ?? code } }

  /// The code to end with, nil while the session goes on.
  var exitCode: Int32? { state.withLock { $0.exitCode } }

  // MARK: Nesting

  /// - Throws: ``GridError/Code/usage`` when scripts run scripts without end.
  func enterScript() throws(GridError) {
    let isAllowed = state.withLock { state in
      guard state.depth < Self.maximumDepth else { return false }
      state.depth += 1
      return true
    }
    if !isAllowed {
      throw GridError(.usage, "scripts nest more than \(Self.maximumDepth) deep", hint: "does a script run itself?")
    }
  }

  func leaveScript() { state.withLock { $0.depth -= 1 } }

  // MARK: Commands

  /// The environment of one command.
  func environment(
    sink: any OutputSink, results: (any ResultListener)?, origin: CommandOrigin, questioner: (any Questioner)?
  ) -> CommandEnvironment {
    let terminal = terminal
    return CommandEnvironment(
      sink: sink, cluster: cluster, results: results, variables: settings.variables,
      allowsStandardInput: allowsStandardInput, origin: origin, questioner: questioner,
      screenIsTaken: { terminal?.lend($0) })
  }

  /// Tells of an error as commands do.
  func report(_ error: GridError, from origin: CommandOrigin = CommandOrigin(), to sink: any OutputSink) {
    SessionServices.report(error, format: outputFormat, origin: origin, to: sink)
  }

  /// Shows a line above the prompt; in a script on standard error.
  func announce(_ line: String) {
    if let terminal { terminal.announce(line) } else { DescriptorSink().remark(line) }
  }

  /// The prompt as things stand.
  func prompt(_ health: PromptHealth, _ form: PromptStyle.Form) -> String {
    let (style, number) = state.withLock { ($0.settings.prompt, $0.values.resultCount + 1) }
    return style.text(health, resultNumber: number, form: form)
  }
}
