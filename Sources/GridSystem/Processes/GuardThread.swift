internal import CProcessGuard
internal import Glibc

/// The thread between a node and its guard: sends requests, receives events, until the guard is gone.
struct GuardThread: Sendable {
  /// How long a guard that was asked to end may take: it gives up on its children after five seconds.
  private static let millisecondsToEnd: Int32 = 10_000
  /// How long keepers may take once their guard is gone.
  private static let millisecondsForKeepers: Int32 = 5000

  /// The node's end of the socket; owned by this thread alone.
  let socket: Int32
  /// Ends when the guard and every keeper is gone; owned by this thread alone.
  let lifeline: Int32
  let wakeup: Int32
  let connection: GuardConnection

  func run() {
    var hasSaidGoodbye = false
    var isGuardAlive = true
    while isGuardAlive {
      isGuardAlive = sendRequests()
      if connection.hasSentAll, !hasSaidGoodbye {
        // The guard sees the end of its requests, kills its children, reports them and ends.
        shutdown(socket, Int32(SHUT_WR))
        hasSaidGoodbye = true
      }
      if isGuardAlive { isGuardAlive = waitForWork(isEnding: hasSaidGoodbye) }
    }
    end()
  }

  /// Lets the guard go when this thread could not be started.
  func abandon() { end() }

  private func end() {
    close(socket)
    // Nobody is told that a child is gone before it is.
    var waits = [pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0)]
    while poll(&waits, 1, Self.millisecondsForKeepers) < 0, errno == EINTR { continue }
    close(lifeline)
    connection.finish()
  }

  /// Sends until the guard is behind. Returns whether it is still there.
  private func sendRequests() -> Bool {
    while let request = connection.firstRequest {
      let descriptors = request.descriptors.map(\.raw)
      let failure = withUnsafePointer(to: request.content) {
        grid_guard_send(socket, $0, descriptors, descriptors.count)
      }
      switch failure {
      case 0: connection.removeFirstRequest()
      case EAGAIN, ETOOMANYREFS, ENOBUFS, ENOMEM: return true
      default:
        // What the guard reported before it died is still in the socket.
        receiveEvents()
        return false
      }
    }
    return true
  }

  /// Sleeps until there is something to receive or to send. Returns whether the guard is still there.
  private func waitForWork(isEnding: Bool) -> Bool {
    let wanted = connection.firstRequest == nil ? POLLIN : POLLIN | POLLOUT
    var waits = [
      pollfd(fd: socket, events: Int16(wanted), revents: 0),
      pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
    ]
    let ready = poll(&waits, 2, isEnding ? Self.millisecondsToEnd : -1)
    if ready == 0, isEnding { kill(connection.guardProcess, SIGKILL) }
    var count: UInt64 = 0
    _ = read(wakeup, &count, MemoryLayout<UInt64>.size)
    return receiveEvents()
  }

  /// Receives all there is. Returns whether the guard is still there.
  @discardableResult
  private func receiveEvents() -> Bool {
    var event = grid_guard_event()
    while true {
      switch grid_guard_receive(socket, &event) {
      case 1: connection.handle(event)
      case -EAGAIN: return true
      default: return false
      }
    }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread that takes no signals. Returns 0 or an `errno`.
///
/// - Parameter name: At most 15 bytes.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var all = sigset_t()
  var before = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  let body = ThreadBody {
    grid_guard_name_thread(name)
    body()
  }
  let box = Unmanaged.passRetained(body)
  var thread = pthread_t()
  let failure = pthread_create(
    &thread, &attributes,
    { raw in
      if let raw { Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().run() }
      return nil
    }, box.toOpaque())
  if failure != 0 { box.release() }
  return failure
}
