package import GridClient
package import GridCore
internal import Synchronization

/// What the commands of a session share instead of the process's own: the live connection, where output goes, the
/// variables that stand for options, and who hears of results.
///
/// It reaches a command as a task-local value, so that a command is written once, for the shell and for the session.
package final class CommandEnvironment: Sendable {
  /// The environment of the command at work; nil for a one-shot command.
  @TaskLocal package static var current: CommandEnvironment?

  let writer: OutputWriter
  let results: (any ResultListener)?
  /// The live way into the cluster of the session.
  let cluster: ClusterClient
  let variables: [String: String]
  let allowsStandardInput: Bool
  /// Which row of which line the command is, for its errors.
  let origin: CommandOrigin
  /// Answers questions; nil where nobody can be asked.
  let questioner: (any Questioner)?
  private let screenIsTaken: @Sendable (Bool) -> Void
  private let opened = Mutex<[ClusterClient]>([])

  /// - Parameters:
  ///   - variables: stand for options that are not given, as environment variables do: `GRIDCTL_OUTPUT` and so on.
  ///   - allowsStandardInput: whether a payload `-` may read the process's standard input.
  ///   - screenIsTaken: hears when a command takes the whole terminal, and when it gives it back.
  package init(
    sink: any OutputSink, cluster: ClusterClient, results: (any ResultListener)? = nil,
    variables: [String: String], allowsStandardInput: Bool = false, origin: CommandOrigin = CommandOrigin(),
    questioner: (any Questioner)? = nil,
    screenIsTaken: @escaping @Sendable (Bool) -> Void = { _ in }
  ) {
    writer = OutputWriter(sink)
    self.results = results
    self.cluster = cluster
    self.variables = variables
    self.allowsStandardInput = allowsStandardInput
    self.origin = origin
    self.questioner = questioner
    self.screenIsTaken = screenIsTaken
  }

  /// Lets the session know that a command has the whole terminal, or gives it back.
  static func takeScreen(_ isTaken: Bool) { current?.screenIsTaken(isTaken) }

  /// A way into a cluster that a command opened for itself; it ends with the command.
  func adopt(_ client: ClusterClient) { opened.withLock { $0.append(client) } }

  /// Closes what commands opened for themselves.
  package func close() {
    let clients = opened.withLock { opened in
      defer { opened = [] }
      return opened
    }
    for client in clients { client.close() }
  }

  /// Refuses to read standard input where it belongs to the session, or where the process was started without one.
  ///
  /// - Throws: ``GridError/Code/usage``, ``GridError/Code/noInput``.
  static func claimStandardInput() throws(GridError) {
    if StandardInput.isClosed {
      throw GridError(
        .noInput, "standard input is closed, so there is nothing to read",
        hint: "write the body itself or @FILE, or leave standard input open: </dev/null is an empty one")
    }
    guard let current, !current.allowsStandardInput else { return }
    throw GridError(
      .usage, "standard input belongs to the session, so - cannot be read",
      hint: "write the body itself or @FILE, or pipe into a command of the shell: seq 9 | gridctl tell NAME - --lines")
  }
}

/// Where in a session a command stands; empty for one that somebody has just typed.
package struct CommandOrigin: Sendable, Equatable {
  /// The script's name, and the number of the line from 1.
  package var script: (name: String, line: Int)?
  /// The name of the row that `each` works on.
  package var row: String?

  package init(script: (name: String, line: Int)? = nil, row: String? = nil) {
    self.script = script
    self.row = row
  }

  package static func == (left: CommandOrigin, right: CommandOrigin) -> Bool {
    left.script?.name == right.script?.name && left.script?.line == right.script?.line && left.row == right.row
  }

  /// What stands before the message of an error.
  package var prefix: String {
    (script.map { "\($0.name), line \($0.line): " } ?? "") + (row.map { "\($0): " } ?? "")
  }

  /// The same for programs.
  var members: [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    if let script { (members["file"], members["line"]) = (.string(script.name), .integer(Int64(script.line))) }
    if let row { members["row"] = .string(row) }
    return members
  }
}

/// Asks the person at a session's terminal.
package protocol Questioner: Sendable {
  /// The answer, nil when there is none.
  func answer(to question: String) async -> String?
}

/// Hears of the values behind what commands print. Called by the command's tasks, in order.
package protocol ResultListener: Sendable {
  /// A whole list; the member `nameField` of an item is its name.
  func received(list: [JSONValue], kind: String, nameField: String)
  /// One value.
  func received(value: JSONValue)
  /// One record of a stream.
  func received(record: JSONValue, nameField: String)
}
