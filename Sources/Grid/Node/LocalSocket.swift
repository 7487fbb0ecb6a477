internal import GridConcurrency
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

  private let endpoint: LinkEndpoint
  private let timers: any Timers
  private let logger: Logger

  init(
    path: String, directory: String, endpoint: LinkEndpoint, timers: any Timers, logger: Logger
  ) {
    self.path = path
    self.directory = directory
    self.endpoint = endpoint
    self.timers = timers
    self.logger = logger
  }

  /// Makes the socket, in place of one that was lost.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when another node serves there, ``GridError/Code/refused`` when the
  ///   directory is somebody else's.
  func open() async throws {
    try PrivateDirectory.makeOwned(directory, for: .sockets)
    let lock = try await SocketDirectoryLock(directory, timers)
    try await StaleSocket.remove(path, in: directory, endpoint)
    // Who has connected already keeps the connection.
    await take()?.listener.close()
    if let group = endpoint.admittedGroup { try PrivateDirectory.share(directory, with: group) }
    let listener = try await endpoint.listen(on: .unix(path: path))
    let file = SocketFile(path)
    if let group = endpoint.admittedGroup { try file.share(with: group) }
    _ = consume lock
    opened.withLock { $0 = Opened(listener: listener, file: file) }
  }

  private func take() -> Opened? {
    opened.withLock { opened in
      defer { opened = nil }
      return opened
    }
  }

  /// Makes the socket again whenever it is gone, until the task is cancelled; `alongside` puts back what else may go.
  func keep(_ alongside: () -> Void) async {
    var hasWarned = false
    while !Task.isCancelled {
      await timers.sleep(for: Self.interval)
      alongside()
      guard !Task.isCancelled, !opened.withLock({ $0?.file.isInPlace ?? false }) else { continue }
      do {
        try await open()
        logger.notice("made the socket again, which was gone", metadata: ["path": "\(path)"])
        hasWarned = false
      } catch {
        logger.log(
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
