internal import Glibc
internal import GridCore
internal import GridSystem

/// Shows long texts to people, a screen at a time.
enum Pager {
  /// Writes a text to standard output; on a terminal that is shorter than the text, through `PAGER` (default: less).
  ///
  /// `PAGER` empty or `cat`, `--no-input`, or keys that wait already show it all at once.
  static func show(
    _ text: String, writer: OutputWriter, forbidsInput: Bool = false,
    environment: [String: String] = ProcessEnvironment.variables
  ) async throws(GridError) {
    let lines = text.utf8.count { $0 == 0x0A }
    let command = environment["PAGER"] ?? "less"
    // A session owns the terminal; its output is not the pager's.
    guard CommandEnvironment.current == nil, writer.outputIsTerminal, isatty(0) == 1, !forbidsInput,
      let height = writer.outputHeight, lines >= height,
      !["", "cat"].contains(command),
      // The next lines of a paste are commands of the shell, not of the pager.
      !TypeAhead.isThere
    else { return try writer.output(text) }
    var variables = environment
    // Quit when it fits after all, keep what is shown on the screen, pass colours on.
    if variables["LESS"] == nil { variables["LESS"] = "FRX" }
    let input = try InputFile(Array(text.utf8))
    CommandEnvironment.takeScreen(true)
    defer { CommandEnvironment.takeScreen(false) }
    let descriptor = input.descriptor
    let status = try? await ForegroundProgram.run { [variables] () async throws(GridError) in
      try await AttachedChild.start(
        ["/bin/sh", "-c", "command -v \"${1%% *}\" >/dev/null || exit 127; eval \"$1\"", "sh", command],
        environment: ProcessEnvironment.forPrograms(variables), input: descriptor)
    }
    // Without a pager the text is shown at once.
    if status == nil || status == .exited(127) { try writer.output(text) }
  }
}
