internal import Glibc
internal import GridCommands
internal import GridCore
internal import GridSystem

/// A command of the user's shell, on the session's terminal.
///
/// It stays in the session's process group, so that the terminal's keys reach it as they reach the session.
struct ShellChild: Sendable {
  private let child: AttachedChild

  /// Starts `/bin/sh -c TEXT`.
  ///
  /// - Parameter input: its standard input, closed here once it has started; the session's when nil.
  /// - Throws: ``GridError`` when it cannot be started.
  static func start(
    _ text: String, input: Int32? = nil, variables: [String: String]
  ) async throws(GridError) -> ShellChild {
    defer { if let input { close(input) } }
    return ShellChild(
      child: try await AttachedChild.start(
        ["/bin/sh", "-c", text], environment: SessionServices.programEnvironment(variables), bond: .shell, input: input)
    )
  }

  /// Waits until it has ended, since the terminal is its own until then; asks it to end when the task is cancelled.
  ///
  /// - Returns: its exit code, 128 and the signal's number when one ended it. Of one that was asked to end that is the
  ///   interrupt's, though which of the key's signal and the session's came first is chance.
  func exitCode() async -> Int32 {
    let status = await withTaskCancellationHandler {
      await child.exit()
    } onCancel: {
      child.signal(SIGTERM)
    }
    let code = ExitStatus.code(of: status)
    return Task.isCancelled && code == 128 + SIGTERM ? ExitStatus.interrupted.rawValue : code
  }
}
