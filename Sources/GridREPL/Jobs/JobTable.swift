internal import GridCore
internal import Synchronization

/// The jobs of a session, and the task group they run in.
final class JobTable: Sendable {
  /// So many may be behind the prompt at once.
  static let capacity = 32

  private struct State {
    var background: [Int: Job] = [:]
    var lastNumber = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let stream: AsyncStream<Job>
  private let starts: AsyncStream<Job>.Continuation

  init() {
    // One in the foreground beside those behind the prompt.
    (stream, starts) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity + 1))
  }

  /// Runs jobs until ``close()``; those still at work then are cancelled and awaited.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await job in stream { group.addTask { await job.run() } }
    }
  }

  /// Starts a job in the foreground.
  ///
  /// - Throws: ``GridError/Code/retryLater`` when the session is closing.
  func start(_ job: Job) throws(GridError) {
    guard case .enqueued = starts.yield(job) else { throw GridError(.retryLater, "the session takes no more jobs") }
  }

  /// Takes the next number, for a job behind the prompt.
  ///
  /// - Throws: ``GridError/Code/retryLater`` when there are too many.
  func number(_ job: Job) throws(GridError) -> Int {
    let number = state.withLock { state -> Int? in
      guard state.background.count < Self.capacity else { return nil }
      state.lastNumber = state.background.isEmpty ? 1 : state.lastNumber + 1
      state.background[state.lastNumber] = job
      return state.lastNumber
    }
    guard let number else {
      throw GridError(
        .retryLater, "\(Self.capacity) jobs are behind the prompt already", hint: "end some: :jobs, then :kill NUMBER")
    }
    return number
  }

  /// The jobs behind the prompt, by number.
  var background: [(number: Int, job: Job)] {
    state.withLock { $0.background }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The job of a number, or the newest.
  ///
  /// - Throws: ``GridError/Code/notFound`` when there is none.
  func job(_ number: Int?) throws(GridError) -> (number: Int, job: Job) {
    let jobs = background
    if let number {
      if let job = jobs.first(where: { $0.number == number }) { return job }
    } else if let last = jobs.last {
      return last
    }
    let numbers = jobs.map { String($0.number) }.joined(separator: ", ")
    throw GridError(
      .notFound, number.map { "there is no job \($0)" } ?? "there are no jobs",
      hint: numbers.isEmpty ? "COMMAND & starts one" : "jobs: \(numbers)")
  }

  func remove(_ number: Int) { state.withLock { $0.background[number] = nil } }

  /// Cancels what runs, and ends ``run()``.
  func close() {
    let jobs = state.withLock { state in
      state.isClosed = true
      return Array(state.background.values)
    }
    for job in jobs { job.cancel() }
    starts.finish()
  }
}
