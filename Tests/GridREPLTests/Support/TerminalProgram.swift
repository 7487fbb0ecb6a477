import CPseudoTerminal
import Foundation
import Testing

/// A program on a terminal of its own, and what the terminal shows.
final class TerminalProgram {
  private let descriptor: Int32
  let process: pid_t
  private(set) var screen: ScreenModel
  /// Every byte the program wrote.
  private(set) var bytes: [UInt8] = []
  private var status: Int32?

  /// Starts a program as the leader of a session whose terminal is this one, so that a written Ctrl-C is a signal.
  init(
    _ arguments: [String], environment: [String: String], directory: String, rows: Int = 24, columns: Int = 80
  ) throws {
    var path = [CChar](repeating: 0, count: 128)
    descriptor = grid_pty_open(&path, path.count, Int32(rows), Int32(columns))
    guard descriptor >= 0 else { throw TerminalProblem("no terminal: \(String(cString: strerror(errno)))") }
    screen = Self.model(rows, columns)
    var variables = environment
    variables["TERM"] = "xterm"
    variables["INPUTRC"] = "/dev/null"
    variables["LC_ALL"] = "C.UTF-8"
    process = try Self.spawn(["/usr/bin/env", "-C", directory] + arguments, variables, terminal: path)
  }

  /// A terminal may be of no size at all; what is modelled has some.
  private static func model(_ rows: Int, _ columns: Int) -> ScreenModel {
    ScreenModel(rows: max(rows, 2), columns: max(columns, 2))
  }

  private static func spawn(
    _ arguments: [String], _ variables: [String: String], terminal: [CChar]
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    // 0x80 is POSIX_SPAWN_SETSID, which the module does not show.
    posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { word in strdup(word) } + [nil]
    var pairs: [UnsafeMutablePointer<CChar>?] = variables.map { pair in strdup("\(pair.key)=\(pair.value)") } + [nil]
    defer { for pointer in words + pairs { free(pointer) } }
    var process: pid_t = 0
    let result = posix_spawn(&process, arguments[0], &actions, &attributes, &words, &pairs)
    guard result == 0 else { throw TerminalProblem("cannot start: \(String(cString: strerror(result)))") }
    return process
  }

  deinit {
    if status == nil {
      kill(process, SIGKILL)
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
    close(descriptor)
  }

  // MARK: Keys

  func type(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    let limit = ContinuousClock.now + .seconds(10)
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) }
      // The program may be busy writing; what it wrote has to be taken before it reads.
      if count < 0 {
        read()
        guard errno == EAGAIN || errno == EINTR, ContinuousClock.now < limit else {
          throw TerminalProblem("cannot type: \(String(cString: strerror(errno)))")
        }
      }
    }
  }

  func enter(_ line: String) throws { try type(line + "\r") }

  /// Types one character, and says how long it took until the line on the screen ended with it.
  func latency(of character: Character, line: String) throws -> Duration {
    let clock = ContinuousClock()
    let began = clock.now
    try type(String(character))
    while screen.cursorLine != line {
      guard clock.now - began < .seconds(10) else { throw TerminalProblem("«\(line)» did not come") }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&waiting, 1, 100)
      read()
    }
    return clock.now - began
  }

  func resize(rows: Int, columns: Int) {
    screen.resize(rows: max(rows, 2), columns: max(columns, 2))
    grid_pty_resize(descriptor, Int32(rows), Int32(columns))
  }

  /// Whether the terminal shows what is typed, as it does for a shell.
  var echoes: Bool {
    var settings = termios()
    return tcgetattr(descriptor, &settings) == 0 && settings.c_lflag & UInt32(ECHO) != 0
      && settings.c_lflag & UInt32(ICANON) != 0
  }

  // MARK: Waiting

  /// Waits until the screen satisfies the condition; fails with the screen when it does not in time.
  func wait(
    _ what: String, limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    until condition: (ScreenModel) -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
      let isOpen = read()
      if condition(screen) { return }
      guard isOpen, ContinuousClock.now < deadline else {
        Issue.record(
          "\(what) did not come; the screen:\n\(screen.fullText)\ncursor at \(screen.row),\(screen.column)",
          sourceLocation: sourceLocation)
        throw TerminalProblem(what)
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// Waits until the last line of the screen is this one, without blanks at its end, and the cursor stands behind it.
  func prompt(
    _ line: String, limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await wait("the line «\(line)»", limit: limit, sourceLocation: sourceLocation) { screen in
      screen.cursorLine == line
    }
  }

  /// Waits until a text is to be seen, now or scrolled away, whatever lines took.
  func text(
    _ text: String, limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await wait("«\(text)»", limit: limit, sourceLocation: sourceLocation) { $0.untimedText.contains(text) }
  }

  /// Types keys five times a second until the screen satisfies the condition.
  func repeatedly(
    _ keys: String, sourceLocation: SourceLocation = #_sourceLocation, until condition: (ScreenModel) -> Bool
  ) async throws {
    var next = ContinuousClock.now
    try await wait("what the keys are for", sourceLocation: sourceLocation) { screen in
      if condition(screen) { return true }
      if ContinuousClock.now >= next {
        try? type(keys)
        next = ContinuousClock.now + .milliseconds(200)
      }
      return false
    }
  }

  /// Takes what the program wrote; false when it has closed the terminal.
  @discardableResult
  private func read() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      if count > 0 {
        bytes += chunk[..<count]
        screen.feed(chunk[..<count])
      } else {
        return count < 0 && errno == EAGAIN || errno == EINTR
      }
    }
  }

  /// Waits until the program has ended.
  ///
  /// - Returns: its exit code, 128 and the signal's number when one ended it.
  func exitCode(limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32
  {
    let deadline = ContinuousClock.now + limit
    while status == nil {
      read()
      var status: Int32 = 0
      if waitpid(process, &status, WNOHANG) == process {
        self.status = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        break
      }
      guard ContinuousClock.now < deadline else {
        Issue.record("the program does not end; the screen:\n\(screen.fullText)", sourceLocation: sourceLocation)
        throw TerminalProblem("no end")
      }
      try await Task.sleep(for: .milliseconds(2))
    }
    read()
    return status ?? -1
  }
}

struct TerminalProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
