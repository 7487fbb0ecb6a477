internal import Glibc
internal import GridCommands
internal import GridCore
internal import Synchronization

/// A command of the user's shell, on the session's terminal.
///
/// It stays in the session's process group, so that the terminal's keys reach it as they reach the session.
final class ShellChild: Sendable {
  private let process: pid_t
  private let ended = Gate()
  private let status = Mutex<Int32>(0)

  /// Starts `/bin/sh -c TEXT`.
  ///
  /// - Parameter input: its standard input, closed here once it has started; the session's when nil.
  /// - Throws: ``GridError/Code/software`` when it cannot be started.
  init(_ text: String, input: Int32? = nil, variables: [String: String]) throws(GridError) {
    defer { if let input { Glibc.close(input) } }
    SessionServices.keepDescriptorsPrivate()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input { posix_spawn_file_actions_adddup2(&actions, input, 0) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What this process ignores or blocks is no business of its children.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = Self.copies(["sh", "-c", text])
    var environment = Self.copies(variables.map { "\($0.key)=\($0.value)" })
    defer { for pointer in arguments + environment { free(pointer) } }
    var process: pid_t = 0
    let result = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, &environment)
    guard result == 0 else {
      throw GridError(.software, "cannot start the shell: \(String(cString: strerror(result)))")
    }
    self.process = process
    try watch()
  }

  private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { text in strdup(text) } + [nil]
  }

  /// Waits for it on a thread of its own, which ends with it.
  private func watch() throws(GridError) {
    let box = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let child = Unmanaged<ShellChild>.fromOpaque(argument).takeRetainedValue()
        var status: Int32 = 0
        while waitpid(child.process, &status, 0) < 0, errno == EINTR {}
        child.status.withLock { $0 = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F }
        child.ended.open()
        return nil
      }, box.toOpaque())
    guard result == 0 else {
      box.release()
      kill(process, SIGKILL)
      throw GridError(.software, "cannot wait for the shell: \(String(cString: strerror(result)))")
    }
    pthread_detach(thread)
  }

  /// Waits until it has ended; asks it to end when the task is cancelled.
  ///
  /// - Returns: its exit code, 128 and the signal's number when one ended it.
  func exitCode() async -> Int32 {
    await withTaskCancellationHandler {
      // A gate lets a cancelled task through; the child must have ended before the terminal is anybody else's.
      await withUncancelledWait()
    } onCancel: {
      kill(process, SIGTERM)
    }
    return status.withLock { $0 }
  }

  private func withUncancelledWait() async {
    await withCheckedContinuation { continuation in ended.whenOpen { continuation.resume() } }
  }
}
