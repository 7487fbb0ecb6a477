internal import Glibc
internal import GridCommands
internal import GridCore

/// `:history`, `:edit`, `:save` and `:source`.
enum LineCommands {
  /// How many lines `:history` shows unless told.
  private static let shownLines = 20

  static func history(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let terminal = try terminal(evaluator)
    for (number, line) in await terminal.history(try count(arguments.first, or: shownLines)) {
      let text = String(number)
      let padding = String(repeating: " ", count: max(0, 5 - text.count))
      try evaluator.sink.line("\(padding)\(text)  \(SessionServices.printable(line))")
    }
    return 0
  }

  private static func terminal(_ evaluator: Evaluator) throws(GridError) -> Terminal {
    guard let terminal = evaluator.core.terminal else { throw GridError(.usage, "a script has no history") }
    return terminal
  }

  private static func count(_ text: String?, or standard: Int) throws(GridError) -> Int {
    guard let text else { return standard }
    guard let count = Int(text), count > 0 else { throw GridError(.usage, "\(NameRules.quoted(text)) is no count") }
    return count
  }

  /// Puts the edited text at the prompt: it runs when the user says so.
  static func edit(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let terminal = try terminal(evaluator)
    // The newest line is this one.
    let last = await terminal.history(2).first { !$0.line.hasPrefix(":edit") }?.line ?? ""
    var variables = evaluator.core.shellVariables
    let directory = variables["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    var path = Array("\(directory)/gridctl-edit-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw failure("make a file to edit in \(directory)") }
    close(descriptor)
    let file = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(file) }
    try TextFile.write(last + "\n", to: file)
    terminal.lend(true)
    defer { terminal.lend(false) }
    variables["GRIDCTL_EDITED"] = file
    let child = try await ShellChild.start("${VISUAL:-${EDITOR:-vi}} \"$GRIDCTL_EDITED\"", variables: variables)
    let code = await child.exitCode()
    if code == 0 { await terminal.preset(try TextFile.read(file).trimmed) }
    return code
  }

  static func save(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let terminal = try terminal(evaluator)
    let name = try NameRules.validated(arguments[0], as: "script")
    let count = try count(arguments.dropFirst().first, or: 1)
    let lines = await terminal.history(count.addingClamped(1)).map(\.line).filter { !$0.hasPrefix(":save") }
    guard !lines.isEmpty else { throw GridError(.notFound, "nothing was typed yet") }
    let directory = scripts(evaluator.core)
    try SessionServices.makeDirectory(directory)
    let path = "\(directory)/\(name).grid"
    try TextFile.write(lines.suffix(count).joined(separator: "\n") + "\n", to: path)
    try evaluator.sink.line("\(path): run it with :source \(name)")
    return 0
  }

  private static func scripts(_ core: SessionCore) -> String { core.services.configurationDirectory + "/scripts" }

  static func source(_ arguments: [String], _ evaluator: Evaluator) async throws(GridError) -> Int32 {
    let core = evaluator.core
    let saved = "\(scripts(core))/\(arguments[0]).grid"
    let path = access(arguments[0], R_OK) != 0 && access(saved, R_OK) == 0 ? saved : arguments[0]
    var purpose = UserFile.Purpose.script
    purpose.patience = core.timeout
    let text = try TextFile.read(path, as: purpose)
    try core.enterScript()
    defer { core.leaveScript() }
    return await ScriptRunner(core: core, sink: evaluator.sink, name: path).run(text)
  }

  private static func failure(_ what: String) -> GridError {
    GridError(.inputOutput, "cannot \(what): \(String(cString: strerror(errno)))")
  }
}

/// Small files of text.
enum TextFile {
  /// - Throws: ``GridError/Code/noInput`` when it cannot be read or is too large.
  static func read(_ path: String, as purpose: UserFile.Purpose = .script) throws(GridError) -> String {
    withoutMark(try String(strictly: try UserFile.read(path, as: purpose), from: path))
  }

  /// The text without the mark that editors of other systems put before it.
  static func withoutMark(_ text: String) -> String {
    text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// Writes a private file.
  ///
  /// - Throws: ``GridError/Code/inputOutput``.
  static func write(_ text: String, to path: String) throws(GridError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw fault(.inputOutput, "write", path) }
    defer { close(descriptor) }
    try DescriptorSink(output: descriptor).output(Array(text.utf8))
  }

  private static func fault(_ code: GridError.Code, _ verb: String, _ path: String) -> GridError {
    GridError(
      code, "cannot \(verb) \(NameRules.quoted(path)): \(String(cString: strerror(errno)))",
      hint: FileHint.text(path, errno))
  }
}
