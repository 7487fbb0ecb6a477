/// Keeps a node's dead letters, bounded, across restarts.
///
/// Every method may be called from any task at once.
package protocol DeadLetterLog: Sendable {
  /// Appends letters in order. When it returns they survive the death of the process. Beyond the log's capacity the
  /// oldest letters are dropped and counted.
  ///
  /// - Parameter dropped: letters that there was no room for on their way here; counted with those that the log drops.
  /// - Throws: ``GridError/Code/inputOutput`` when the letters could not be kept (a full disk); none of them is then.
  func append(_ letters: [DeadLetter], dropped: Int) async throws(GridError)

  /// A part of the letters that match, newest first.
  func page(_ query: DeadLetterQuery) async throws(GridError) -> DeadLetterPage

  /// The letter with that identifier, whole, or nil.
  func letter(_ identifier: String) async throws(GridError) -> DeadLetter?

  /// Notes that a letter was sent again under another identifier, if its mark is still `expected`: of several at once
  /// one succeeds.
  ///
  /// - Parameters:
  ///   - replay: the identifier it was sent under; empty takes the mark back.
  ///   - expected: the identifier it was sent under before; empty when it was not.
  /// - Returns: whether it was noted; false when there is no such letter or it has another mark.
  func markReplayed(_ identifier: String, as replay: String, insteadOf expected: String) async throws(GridError) -> Bool

  /// Removes the letters that match and says how many. Without any condition what was dropped is forgotten, too.
  func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int

  /// How many messages the letters since then stand for.
  func count(since: CalendarTime) async throws(GridError) -> Int

  /// How many letters are kept, stand folded behind kept ones, and were dropped for lack of room.
  func counts() async throws(GridError) -> DeadLetterCounts

  func close() async
}

extension DeadLetterLog {
  package func append(_ letters: [DeadLetter]) async throws(GridError) { try await append(letters, dropped: 0) }

  /// The letters that match, whole and oldest first; with a limit, the newest that many.
  package func list(_ filter: DeadLetterFilter) async throws(GridError) -> [DeadLetter] {
    var letters: [DeadLetter] = []
    var query = DeadLetterQuery(filter)
    while true {
      query.filter.limit = filter.limit.map { $0 - letters.count }
      let page = try await page(query)
      letters += page.letters
      query.before = page.next
      if page.next == nil || letters.count >= filter.limit ?? .max { return letters.reversed() }
    }
  }
}

/// How many dead letters a log keeps; beyond it the oldest go.
package struct DeadLetterCapacity: Sendable, Equatable {
  package var letters: Int
  /// The sum of what letters are charged with, see ``DeadLetter/cost``.
  package var bytes: Int

  package init(letters: Int = 100_000, bytes: Int = 1 << 30) {
    self.letters = max(1, letters)
    self.bytes = max(1, bytes)
  }
}

/// Which part of the letters.
package struct DeadLetterQuery: Sendable, Equatable {
  package var filter: DeadLetterFilter
  /// Only letters with smaller identifiers.
  package var before: String?
  /// Bytes of letters in the answer, about: one letter always is in it. Only what is read of a body counts.
  package var maximumBytes: Int
  /// How much of each body is read.
  package var bodyLimit: Int

  package init(
    _ filter: DeadLetterFilter = DeadLetterFilter(), before: String? = nil, maximumBytes: Int = 4 << 20,
    bodyLimit: Int = .max
  ) {
    self.filter = filter
    self.before = before
    self.maximumBytes = maximumBytes
    self.bodyLimit = bodyLimit
  }
}

/// A part of the letters.
package struct DeadLetterPage: Sendable, Equatable {
  /// Newest first.
  package var letters: [DeadLetter]
  /// What ``DeadLetterQuery/before`` is for the letters that follow; nil when there are none.
  package var next: String?

  package init(letters: [DeadLetter] = [], next: String? = nil) {
    self.letters = letters
    self.next = next
  }

  /// Takes the next older letter in, unless the page is full.
  ///
  /// - Returns: whether it was taken.
  package mutating func take(_ letter: DeadLetter, _ query: DeadLetterQuery, room: inout Int) -> Bool {
    let cut = letter.cut(toBody: query.bodyLimit)
    let size = cut.costBesideBody + cut.message.body.count
    guard letters.count < query.filter.limit ?? .max, letters.isEmpty || size <= room else {
      next = letters.last?.identifier ?? query.before
      return false
    }
    room -= size
    letters.append(cut)
    return true
  }
}

/// Which dead letters. A missing condition holds for all.
package struct DeadLetterFilter: Sendable, Equatable {
  /// Any of these reasons; none means all.
  package var reasons: [DeadLetter.Reason]
  /// The target's name, where `*` stands for any run of characters.
  package var target: String?
  /// Not older than this.
  package var since: CalendarTime?
  /// At most so many, the newest.
  package var limit: Int?
  /// Only letters that were replayed, or only those that were not; nil for both.
  package var isReplayed: Bool?

  package init(
    reasons: [DeadLetter.Reason] = [], target: String? = nil, since: CalendarTime? = nil, limit: Int? = nil,
    isReplayed: Bool? = nil
  ) {
    self.reasons = reasons
    self.target = target
    self.since = since
    self.limit = limit
    self.isReplayed = isReplayed
  }

  /// Whether every letter meets the conditions.
  package var isUnconditional: Bool {
    reasons.isEmpty && target == nil && since == nil && limit == nil && isReplayed == nil
  }

  /// Whether a letter meets the conditions (``limit`` is no condition).
  package func matches(_ letter: DeadLetter) -> Bool {
    (reasons.isEmpty || reasons.contains(letter.reason))
      && (target.map { NamePattern($0).matches(letter.target) } ?? true)
      && (since.map { letter.at >= $0 } ?? true)
      && (isReplayed.map { $0 != letter.replayedAs.isEmpty } ?? true)
  }
}

/// The totals of a dead-letter log.
package struct DeadLetterCounts: Sendable, Equatable {
  /// Letters in the log.
  package var kept: Int
  /// Letters that are counted on a kept letter of the same target and reason instead of being kept themselves.
  package var folded: Int
  /// Letters dropped because the log was full, since all of them were last removed.
  package var dropped: Int
  /// What the kept letters are charged with.
  package var bytes: Int

  package init(kept: Int, folded: Int, dropped: Int, bytes: Int = 0) {
    self.kept = kept
    self.folded = folded
    self.dropped = dropped
    self.bytes = bytes
  }
}
