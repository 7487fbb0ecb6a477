internal import NIOCore

/// Runs tasks on an event loop, so that a task that mostly waits for connections is not handed from thread to thread.
///
/// Only for code that never blocks: it would stop the connections of the loop.
final class EventLoopTaskExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
