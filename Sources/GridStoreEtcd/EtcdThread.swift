internal import NIOCore
internal import NIOPosix

/// The engine's own thread: connections, watches and, above all, the renewal of leases run on it, so that a busy
/// cooperative pool never costs a lease.
final class EtcdThread: TaskExecutor {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let eventLoop: any EventLoop

  init() { eventLoop = group.next() }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  /// Starts `body` on the thread; the future says when it has ended.
  func start(_ body: @escaping @Sendable () async -> Void) -> EventLoopFuture<Void> {
    eventLoop.makeFutureWithTask {
      await withTaskExecutorPreference(self) { await body() }
    }
  }
}
