internal import Glibc

/// Standard input as a person sees it.
enum StandardInput {
  /// Whether the process was started without one; its place is filled with what cannot be read.
  static var isClosed: Bool {
    let flags = fcntl(0, F_GETFL)
    return flags < 0 || flags & O_ACCMODE == O_WRONLY
  }

  /// Says what is waited for where a person would otherwise look at a command that does nothing: standard input is a
  /// terminal.
  ///
  /// - Parameter what: what becomes of what is typed: `each line is a message to hits`.
  static func announce(_ what: String, isQuiet: Bool = false, writer: OutputWriter = .shared) {
    guard !isQuiet, isatty(0) == 1 else { return }
    writer.remark("reads this terminal: \(what); end with Ctrl-D on a line of its own")
  }

  /// The same for a command at work.
  static func announce(_ what: String, _ session: CommandSession) {
    announce(what, isQuiet: session.settings.isQuiet, writer: session.writer)
  }
}
