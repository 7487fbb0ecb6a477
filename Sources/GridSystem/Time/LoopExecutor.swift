package import NIOCore

/// Runs tasks on the thread of one event loop instead of the cooperative pool: a task that mostly waits for connections
/// is not handed from thread to thread, and a pool that is busy or blocked costs it nothing.
///
/// Only for code that never blocks: it would stop the connections of the loop.
package final class LoopExecutor: TaskExecutor {
  package let loop: any EventLoop

  package init(_ loop: any EventLoop) { self.loop = loop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
