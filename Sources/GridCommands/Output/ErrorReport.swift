internal import GridCore

/// How an error is told to the user, on standard error.
struct ErrorReport {
  let error: GridError
  /// What it was about, for programs: an actor, a node's name, an id.
  var target: String?
  /// The node it happened on, for programs.
  var node: String?
  /// Of many things the ones that failed, for programs: `failures` of the error.
  var failures: [JSONValue]?
  /// Where in a session it happened.
  var origin = CommandEnvironment.current?.origin ?? CommandOrigin()

  /// Errors come from other nodes and handlers, too: more than this of one is not printed for people.
  private static let longestText = 2000

  /// Writes what failed, why, and what to try; with a JSON format one line of JSON. A reader that went away is told
  /// nothing.
  func write(format: OutputFormat, color: ColorMode = .auto, to writer: OutputWriter) {
    if error.code == .brokenPipe { return }
    if format.isJSON { return writer.error(TerminalText.json(json.text)) }
    writer.error(lines(usesColor: writer.allowsColor(on: .error, color)).joined(separator: "\n"))
  }

  /// `{"error":{…}}`.
  var json: JSONValue { ["error": body] }

  /// The member of ``body`` that says what failed.
  static let messageField = "message"

  /// The names are part of the contract, and all are always there.
  var body: JSONValue {
    var members: [String: JSONValue] = [
      "code": .integer(Int64(ExitStatus(error.code).rawValue)), "name": .string(error.code.label),
      Self.messageField: .string(error.message), "hint": .optional(error.hint), "cause": .optional(error.cause),
      "target": .optional(target), "node": .optional(node),
    ]
    if let failures { members["failures"] = .array(failures) }
    members.merge(origin.members) { own, _ in own }
    return .object(members)
  }

  /// The lines for people; every further line of a text is indented.
  func lines(usesColor: Bool) -> [String] {
    let title = usesColor ? TextStyle.bad.applied(to: "error:") : "error:"
    var lines = Self.printable(origin.prefix + error.message)
    lines[0] = "\(title) \(lines[0])"
    if let cause = error.cause, !error.message.contains(cause) {
      var causes = Self.printable(cause)
      causes[0] = "cause: \(causes[0])"
      lines += causes
    }
    if let hint = error.hint { lines += Self.printable(hint) }
    return lines.enumerated().map { $0.offset == 0 ? $0.element : "  \($0.element)" }
  }

  /// At least one line.
  private static func printable(_ text: String) -> [String] {
    HumanText.excerpt(text, longestText).split(separator: "\n", omittingEmptySubsequences: false)
      .map { TerminalText.printable(String($0)) }
  }
}
