@preconcurrency internal import Dispatch
internal import Glibc

/// SIGINT and SIGTERM as a stream; from the first use on they no longer end the process by themselves.
enum TerminationSignals {
  ///
  /// A session keeps the signals to itself and cancels the task instead: there nothing comes.
  static func stream() -> AsyncStream<Int32> {
    if CommandEnvironment.current != nil { return quiet() }
    return AsyncStream(bufferingPolicy: .bufferingOldest(4)) { continuation in
      nonisolated(unsafe) let sources = [SIGINT, SIGTERM].map { number in  // ended once, by the stream
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { continuation.yield(number) }
        source.resume()
        return source
      }
      continuation.onTermination = { _ in for source in sources { source.cancel() } }
    }
  }

  /// Lets the signals in that end a process: a caller may have started us with some of them blocked, as processes are
  /// that a thread of Dispatch starts.
  static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Ends when its task is cancelled, not before.
  private static func quiet() -> AsyncStream<Int32> {
    AsyncStream(bufferingPolicy: .bufferingOldest(1)) { continuation in
      continuation.onTermination = { _ in _ = continuation }
    }
  }
}
