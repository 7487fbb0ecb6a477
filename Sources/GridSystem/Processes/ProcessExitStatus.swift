/// How a child process ended.
package enum ProcessExitStatus: Sendable, Hashable {
  /// It ended by itself with this code, 0 to 255.
  case exited(Int32)
  /// A signal ended it.
  case signalled(Int32)
  /// Its guard died or gave up on it, so nobody can tell; it was killed, with all that descends from it.
  case lost

  /// Decodes what `waitpid` reports for a process that ended.
  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
  }

  /// Whether the program ended by itself with code 0.
  package var isSuccess: Bool { self == .exited(0) }
}

extension ProcessExitStatus: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exited(let code): "exited with code \(code)"
    case .signalled(let number): "ended by signal \(number)\(Self.names[number].map { " (\($0))" } ?? "")"
    case .lost: "lost together with the guard of child processes"
    }
  }

  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
    24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
  ]
}
