package import GridCore
internal import Synchronization

/// A dead-letter log in memory, for tests: the twin of the durable one, held to the same ``DeadLetterLogConformance``.
package final class InMemoryDeadLetterLog: DeadLetterLog {
  private struct State {
    /// Sorted by identifier.
    var letters: [DeadLetter] = []
    var dropped = 0
    var isFull = false
    var isClosed = false
  }

  private let capacity: DeadLetterCapacity
  private let state = Mutex(State())

  /// - Parameter capacity: beyond it the oldest letters are dropped and counted.
  package init(capacity: DeadLetterCapacity = DeadLetterCapacity()) { self.capacity = capacity }

  /// Makes every append fail as on a full disk, until it is called with false.
  package func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

  /// What it keeps, past whoever has it.
  package var letters: [DeadLetter] { state.withLock { $0.letters } }

  package func append(_ letters: [DeadLetter], dropped: Int) async throws(GridError) {
    try withState { state throws(GridError) in
      if state.isFull { throw GridError(.inputOutput, "the dead letters cannot be written", cause: "no space left") }
      state.dropped += max(0, dropped)
      for letter in letters where !state.letters.contains(where: { $0.identifier == letter.identifier }) {
        let place = state.letters.lastIndex { $0.identifier < letter.identifier }.map { $0 + 1 } ?? 0
        state.letters.insert(letter, at: place)
      }
      var bytes = state.letters.reduce(0) { $0 + $1.cost }
      while state.letters.count > capacity.letters || bytes > capacity.bytes, let oldest = state.letters.first {
        state.dropped += oldest.count
        bytes -= oldest.cost
        state.letters.removeFirst()
      }
    }
  }

  package func page(_ query: DeadLetterQuery) async throws(GridError) -> DeadLetterPage {
    try withState { state throws(GridError) in Self.page(query, state.letters) }
  }

  private static func page(_ query: DeadLetterQuery, _ letters: [DeadLetter]) -> DeadLetterPage {
    var page = DeadLetterPage()
    var room = query.maximumBytes
    for letter in letters.reversed()
    where query.filter.matches(letter) && (query.before.map { letter.identifier < $0 } ?? true) {
      if !page.take(letter, query, room: &room) { break }
    }
    return page
  }

  package func letter(_ identifier: String) async throws(GridError) -> DeadLetter? {
    try withState { state throws(GridError) in state.letters.first { $0.identifier == identifier } }
  }

  package func markReplayed(
    _ identifier: String, as replay: String, insteadOf expected: String
  ) async throws(GridError) -> Bool {
    try withState { state throws(GridError) in
      guard
        let place = state.letters.firstIndex(where: { $0.identifier == identifier && $0.replayedAs == expected })
      else { return false }
      state.letters[place].replayedAs = replay
      return true
    }
  }

  package func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int {
    try withState { state throws(GridError) in
      let query = DeadLetterQuery(filter, maximumBytes: .max)
      let matching = Set(Self.page(query, state.letters).letters.map(\.identifier))
      state.letters.removeAll { matching.contains($0.identifier) }
      if filter == DeadLetterFilter() { state.dropped = 0 }
      return matching.count
    }
  }

  package func count(since: CalendarTime) async throws(GridError) -> Int {
    try withState { state throws(GridError) in state.letters.filter { $0.at >= since }.reduce(0) { $0 + $1.count } }
  }

  package func counts() async throws(GridError) -> DeadLetterCounts {
    try withState { state throws(GridError) in
      DeadLetterCounts(
        kept: state.letters.count, folded: state.letters.reduce(0) { $0 + $1.count - 1 }, dropped: state.dropped,
        bytes: state.letters.reduce(0) { $0 + $1.cost })
    }
  }

  package func close() async { state.withLock { $0.isClosed = true } }

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
