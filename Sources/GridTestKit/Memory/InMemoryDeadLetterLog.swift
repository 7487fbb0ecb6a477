public import GridCore
internal import Synchronization

/// A dead-letter log in memory, for tests: the twin of the durable one, held to the same ``DeadLetterLogConformance``.
public final class InMemoryDeadLetterLog: DeadLetterLog {
  private struct State {
    /// Sorted by identifier.
    var letters: [DeadLetter] = []
    var dropped = 0
    var isFull = false
    var isClosed = false
  }

  private let capacity: Int
  private let state = Mutex(State())

  /// - Parameter capacity: letters kept; beyond it the oldest are dropped and counted.
  public init(capacity: Int = 100_000) { self.capacity = max(1, capacity) }

  /// Makes every append fail as on a full disk, until it is called with false.
  public func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

  public func append(_ letters: [DeadLetter]) async throws(GridError) {
    try withState { state throws(GridError) in
      if state.isFull { throw GridError(.inputOutput, "the dead letters cannot be written", cause: "no space left") }
      for letter in letters {
        state.letters.removeAll { $0.identifier == letter.identifier }
        let place = state.letters.lastIndex { $0.identifier < letter.identifier }.map { $0 + 1 } ?? 0
        state.letters.insert(letter, at: place)
      }
      let excess = state.letters.count - capacity
      guard excess > 0 else { return }
      state.dropped += state.letters.prefix(excess).reduce(0) { $0 + $1.count }
      state.letters.removeFirst(excess)
    }
  }

  public func list(_ filter: DeadLetterFilter) async throws(GridError) -> [DeadLetter] {
    try withState { state throws(GridError) in Self.matching(filter, state.letters) }
  }

  private static func matching(_ filter: DeadLetterFilter, _ letters: [DeadLetter]) -> [DeadLetter] {
    letters.filter(filter.matches).suffix(max(0, filter.limit ?? .max))
  }

  public func letter(_ identifier: String) async throws(GridError) -> DeadLetter? {
    try withState { state throws(GridError) in state.letters.first { $0.identifier == identifier } }
  }

  public func markReplayed(_ identifier: String, as replay: String) async throws(GridError) {
    try withState { state throws(GridError) in
      guard let place = state.letters.firstIndex(where: { $0.identifier == identifier }) else { return }
      state.letters[place].replayedAs = replay
    }
  }

  public func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int {
    try withState { state throws(GridError) in
      let matching = Set(Self.matching(filter, state.letters).map(\.identifier))
      state.letters.removeAll { matching.contains($0.identifier) }
      return matching.count
    }
  }

  public func count(since: CalendarTime) async throws(GridError) -> Int {
    try withState { state throws(GridError) in state.letters.filter { $0.at >= since }.reduce(0) { $0 + $1.count } }
  }

  public func counts() async throws(GridError) -> DeadLetterCounts {
    try withState { state throws(GridError) in
      DeadLetterCounts(
        kept: state.letters.count, folded: state.letters.reduce(0) { $0 + $1.count - 1 }, dropped: state.dropped)
    }
  }

  public func close() async { state.withLock { $0.isClosed = true } }

  private func withState<Value: Sendable>(
    _ body: (inout State) throws(GridError) -> Value
  ) throws(GridError) -> Value {
    let result = state.withLock { state -> Result<Value, GridError> in
      if state.isClosed { return .failure(GridError(.inputOutput, "the dead letters are closed")) }
      do throws(GridError) { return .success(try body(&state)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
