internal import Glibc
internal import Grid
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem
internal import Logging

/// The service manager that has started this process, told as sd_notify(3) has it when the node serves and when it
/// begins to leave, and meanwhile, as often as it asks for that, that the node lives.
struct ServiceManager: Sendable {
  let socket: NotifySocket
  /// After so long without a word from the node it is to be killed and started again; nil when nobody watches.
  let watchdog: Duration?
  /// Told when the process is another one than the one that was started.
  private let process: pid_t?
  private let logger: Logger

  /// - Parameters:
  ///   - process: this process.
  ///   - isDetached: whether the process that was started has started this one.
  /// - Throws: ``GridError/Code/configuration`` when the variable names no socket.
  /// - Returns: nil when no service manager wants to hear.
  init?(
    environment: [String: String], process: pid_t, isDetached: Bool, logger: Logger
  ) throws(GridError) {
    guard let address = environment["NOTIFY_SOCKET"], !address.isEmpty else { return nil }
    socket = try NotifySocket(parsing: address)
    watchdog = Self.watchdog(
      interval: environment["WATCHDOG_USEC"], process: environment["WATCHDOG_PID"], own: process)
    self.process = isDetached ? process : nil
    self.logger = logger
  }

  /// How often the node must be heard of; nil when it need not be, or another process is meant.
  static func watchdog(interval: String?, process: String?, own: pid_t) -> Duration? {
    guard let interval, let microseconds = Int64(interval), microseconds > 0 else { return nil }
    if let process, !process.isEmpty, process != String(own) { return nil }
    return .microseconds(microseconds)
  }

  /// Tells of the node from the moment at which it serves until it begins to leave.
  func serve(_ node: GridNode) async {
    await tell(["READY=1"] + (process.map { ["MAINPID=\($0)"] } ?? []))
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await node.waitUntilLeaving() }
      group.addTask { await watch(node) }
      await group.next()
      group.cancelAll()
    }
    await tell(["STOPPING=1", "STATUS=leaves the cluster"])
  }

  // MARK: While it serves

  /// How often the state is looked at where nobody watches.
  private static let interval = Duration.seconds(10)

  /// Says that the node lives for as long as it does, in half of the time that it has for that.
  private func watch(_ node: GridNode) async {
    let pause = watchdog.map { max(.milliseconds(1), $0 / 2) } ?? Self.interval
    var said = ""
    while !Task.isCancelled {
      if let pulse = try? await node.pulse() {
        let status = Self.status(pulse)
        await tell((watchdog == nil ? [] : ["WATCHDOG=1"]) + (status == said ? [] : ["STATUS=" + status]))
        said = status
        await ProcessTimers.shared.sleep(for: pause)
      } else {
        // It may be a matter of moments.
        await ProcessTimers.shared.sleep(for: pause / 5)
      }
    }
  }

  /// The line that `systemctl status` shows.
  static func status(_ pulse: NodePulse) -> String {
    let place = "node \(pulse.name) of namespace \(pulse.namespace) at \(pulse.address)"
    guard let problem = pulse.problem else {
      return "\(place): \(CountText.of(pulse.nodes, "node")), \(CountText.of(pulse.actors, "actor")) here"
    }
    return PrintableText.of("\(place), outside of the cluster: \(problem)".utf8, limit: 500)
  }

  // MARK: Telling

  private static let attempts = 40
  private static let pauseForRoom = Duration.milliseconds(50)

  /// Waits a while for room at a manager that is busy; one that is not there is not waited for.
  private func tell(_ assignments: [String]) async {
    guard !assignments.isEmpty else { return }
    let message = assignments.joined(separator: "\n")
    var failure: Int32 = 0
    for _ in 0..<Self.attempts {
      failure = socket.send(message)
      guard [EAGAIN, ENOBUFS, EINTR].contains(failure) else { break }
      await ProcessTimers.shared.sleep(for: Self.pauseForRoom)
    }
    guard failure != 0 else { return }
    logger.warning(
      "the service manager does not hear of the node", metadata: ["error": "\(String(cString: strerror(failure)))"])
  }
}
