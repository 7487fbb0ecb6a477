internal import DequeModule
internal import Foundation
internal import GRDB
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// The one thread of an embedded store. Everything that touches the file happens here, never on the cooperative pool:
/// transactions (those that wait together are one SQLite transaction), renewing our leases, ending those of processes
/// that are gone, and telling watchers what changed, here or in another process.
final class StoreThread: Sendable {
  typealias CommitCompletion = @Sendable (Result<StoreOutcome, GridError>) -> Void

  enum Job: Sendable {
    case commit(StoreTransaction, CommitCompletion)
    case work(@Sendable (inout StoreEngine) -> Void)
  }

  /// Jobs that may wait; more are refused as `retry-later`.
  static let capacity = 100_000

  private struct State {
    var jobs: Deque<Job> = []
    var isClosed = false
    /// Whether the thread waits, and is to be woken for a job.
    var isAsleep = false

    /// Whether the thread is to be woken.
    mutating func wakes() -> Bool {
      defer { isAsleep = false }
      return isAsleep
    }
  }

  private let state = Mutex(State())
  private let line: WakeLine
  private let ended = Latch()

  /// Starts the thread with the engine that `make` opens on it.
  ///
  /// - Throws: what `make` throws.
  init(make: @escaping @Sendable () throws(GridError) -> StoreEngine) async throws(GridError) {
    line = try WakeLine()
    let opened: Result<Void, GridError> = await withPromise { promise in
      let thread = Thread {
        do throws(GridError) {
          var engine = try make()
          promise.fulfil(.success(()))
          self.loop(&engine)
          engine.close()
        } catch {
          promise.fulfil(.failure(error))
        }
        self.ended.open()
      }
      thread.name = "gridctl-store"
      thread.stackSize = 1 << 20
      thread.start()
    }
    try opened.get()
  }

  /// Queues a job.
  ///
  /// - Throws: ``GridError/Code/unavailable`` after ``close()``, ``GridError/Code/retryLater`` when too many wait.
  func submit(_ job: Job) throws(GridError) {
    let (failure, wakes) = state.withLock { state -> (GridError?, Bool) in
      if state.isClosed { return (GridError(.unavailable, "the coordination store is closed"), false) }
      if state.jobs.count >= Self.capacity {
        return (GridError(.retryLater, "the coordination store is overloaded", hint: "try again later"), false)
      }
      state.jobs.append(job)
      return (nil, state.wakes())
    }
    if let failure { throw failure }
    if wakes { line.wake() }
  }

  /// Runs `body` on the thread and returns its result.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (inout StoreEngine) throws -> Value
  ) async throws(GridError) -> Value {
    let result: Result<Value, GridError> = await withPromise { promise in
      do throws(GridError) {
        try submit(
          .work { engine in
            do { promise.fulfil(.success(try body(&engine))) } catch {
              promise.fulfil(.failure(StoreEngine.gridError(error)))
            }
          })
      } catch {
        promise.fulfil(.failure(error))
      }
    }
    return try result.get()
  }

  /// Ends the thread once the queued jobs are done.
  func close() async {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return }
    line.wake()
    await ended.wait()
  }

  private func loop(_ engine: inout StoreEngine) {
    while true {
      let isIdle = state.withLock { state in
        state.isAsleep = state.jobs.isEmpty && !state.isClosed
        return state.isAsleep
      }
      if isIdle { line.wait(for: engine.readiness, atMost: engine.nextPause) }
      let (jobs, isClosed) = state.withLock { state in
        defer { state.jobs = [] }
        state.isAsleep = false
        return (state.jobs, state.isClosed)
      }
      run(jobs, &engine)
      engine.tick()
      if isClosed, state.withLock({ $0.jobs.isEmpty }) { return }
    }
  }

  /// Commits that stand next to each other share one transaction, and keep their order with other work.
  private func run(_ jobs: Deque<Job>, _ engine: inout StoreEngine) {
    var commits: [(StoreTransaction, CommitCompletion)] = []
    for job in jobs {
      switch job {
      case .commit(let transaction, let completion): commits.append((transaction, completion))
      case .work(let body):
        engine.commit(commits)
        commits = []
        body(&engine)
      }
    }
    engine.commit(commits)
  }
}
