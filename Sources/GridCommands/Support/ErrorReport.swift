internal import GridCore

/// How an error is told to the user.
struct ErrorReport {
  let error: GridError
  var target: String?
  var node: String?

  /// Three parts on standard error: what, where or why, what next; or one line of JSON.
  func write(format: OutputFormat, to writer: OutputWriter) {
    if error.code == .brokenPipe { return }
    if format == .json || format == .jsonl {
      writer.error(JSONValue.object(["error": json]).text)
      return
    }
    writer.error("error: \(Renderer.printable(error.message))")
    if let cause = error.cause, !error.message.contains(cause) { writer.error("  cause: \(Renderer.printable(cause))") }
    if let hint = error.hint { writer.error("  \(Renderer.printable(hint))") }
  }

  private var json: JSONValue {
    [
      "code": .integer(Int64(ExitStatus(error.code).rawValue)), "name": .string(error.code.label),
      "message": .string(error.message), "hint": .optional(error.hint), "target": .optional(target),
      "node": .optional(node), "cause": .optional(error.cause),
    ]
  }
}
