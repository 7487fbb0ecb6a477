internal import ArgumentParser
internal import Glibc
internal import GridCore
internal import GridSystem
internal import Logging

/// How log lines look.
enum LogForm: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Where log lines go: standard error, or a file.
struct LogSink: Sendable {
  let descriptor: Int32

  /// - Throws: ``GridError/Code/inputOutput`` when the file cannot be opened.
  init(path: String?) throws(GridError) {
    guard let path else {
      descriptor = 2
      return
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw GridError(
        .inputOutput, "cannot open log file \(path): \(String(cString: strerror(errno)))",
        hint: FileHint.text(path, errno))
    }
  }

  /// One line in one write; what cannot be logged is dropped.
  func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// Writes each record as one line: `2026-01-02T03:04:05.678Z notice message key=value`, or a JSON object.
struct LineLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.notice
  private let sink: LogSink
  private let form: LogForm

  init(sink: LogSink, form: LogForm) {
    self.sink = sink
    self.form = form
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = SystemClock().date().rfc3339
    let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
    switch form {
    case .text:
      let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
      sink.write("\(time) \(event.level) \(TerminalText.printable("\(event.message)"))\(pairs)")
    case .json:
      var members: [String: JSONValue] = all.reduce(into: [:]) { $0[$1.key] = .string("\($1.value)") }
      members["time"] = .string(time)
      members["level"] = .string("\(event.level)")
      members["message"] = .string("\(event.message)")
      sink.write(TerminalText.json(JSONValue.object(members).text))
    }
  }

  private static func quoted(_ text: String) -> String {
    text.contains(where: { $0 == " " || $0 == "\"" || $0.isNewline })
      ? TerminalText.json(JSONValue.string(text).text) : TerminalText.printable(text)
  }
}
