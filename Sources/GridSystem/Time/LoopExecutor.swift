package import NIOCore
internal import Synchronization

/// Runs tasks on the thread of one event loop instead of the cooperative pool: a task that mostly waits for connections
/// is not handed from thread to thread, and a pool that is busy or blocked costs it nothing.
///
/// What becomes ready together, as by the replies of one read, is one task of the loop. Only for code that never
/// blocks: it would stop the connections of the loop.
package final class LoopExecutor: TaskExecutor {
  package let loop: any EventLoop
  /// Ready, and not yet taken by the task of the loop that the first of them has scheduled.
  private let ready = Mutex<[UnownedJob]>([])

  package init(_ loop: any EventLoop) { self.loop = loop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = ready.withLock { ready in
      ready.append(job)
      return ready.count == 1
    }
    if isFirst { loop.execute { self.runReady() } }
  }

  private func runReady() {
    let jobs = ready.withLock { ready in
      var jobs: [UnownedJob] = []
      swap(&jobs, &ready)
      ready.reserveCapacity(jobs.count)
      return jobs
    }
    for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
