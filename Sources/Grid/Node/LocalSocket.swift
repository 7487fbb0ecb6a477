internal import Glibc
internal import GridCore
internal import GridLink
internal import GridSystem
internal import Logging
internal import Synchronization

/// The socket of a node for the clients of its machine, made again when somebody has removed it: what cleans temporary
/// directories up does not ask.
final class LocalSocket: Sendable {
  private struct Opened {
    var listener: any LinkListener
    var file: SocketFile
  }

  /// How often it is looked whether the file is still there.
  private static let interval = Duration.seconds(2)

  private let path: String
  private let directory: String
  private let opened = Mutex<Opened?>(nil)

  init(path: String, directory: String) {
    self.path = path
    self.directory = directory
  }

  /// Makes the socket, in place of one that was lost.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when another node serves there, ``GridError/Code/refused`` when the
  ///   directory is somebody else's.
  func open(_ runtime: NodeRuntime) async throws {
    try PrivateDirectory.makeOwned(directory, for: .sockets)
    let lock = try await SocketDirectoryLock(directory)
    try await StaleSocket.remove(path, in: directory, runtime.endpoint)
    // First, since its end removes what is at the path. Who has connected already keeps the connection.
    await take()?.listener.close()
    let listener = try await runtime.endpoint.listen(on: .unix(path: path))
    chmod(path, 0o600)
    _ = consume lock
    opened.withLock { $0 = Opened(listener: listener, file: SocketFile(path)) }
  }

  private func take() -> Opened? {
    opened.withLock { opened in
      defer { opened = nil }
      return opened
    }
  }

  /// Makes the socket, and the file with the secret, again whenever they are gone, until the task is cancelled.
  func keep(_ runtime: NodeRuntime) async {
    var hasWarned = false
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.interval)
      runtime.restoreSecret()
      guard !Task.isCancelled, !opened.withLock({ $0?.file.isInPlace ?? false }) else { continue }
      do {
        try await open(runtime)
        runtime.logger.notice("made the socket again, which was gone", metadata: ["path": "\(path)"])
        hasWarned = false
      } catch {
        runtime.logger.log(
          level: hasWarned ? .debug : .warning, "cannot make the socket again",
          metadata: ["path": "\(path)", "error": "\(error)"])
        hasWarned = true
      }
    }
  }

  /// Ends it, and removes the file.
  func close() async {
    guard let last = take() else { return }
    await last.listener.close()
    last.file.remove()
  }
}
