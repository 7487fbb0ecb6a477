/// Keeps a node's dead letters, bounded, across restarts.
///
/// Every method may be called from any task at once.
public protocol DeadLetterLog: Sendable {
  /// Appends letters in order. When it returns they survive the death of the process. Beyond the log's capacity the
  /// oldest letters are dropped and counted.
  ///
  /// - Throws: ``GridError/Code/inputOutput`` when the letters could not be kept (a full disk); none of them is then.
  func append(_ letters: [DeadLetter]) async throws(GridError)

  /// The letters that match, oldest first; with a limit, the newest that many.
  func list(_ filter: DeadLetterFilter) async throws(GridError) -> [DeadLetter]

  /// The letter with that identifier, or nil.
  func letter(_ identifier: String) async throws(GridError) -> DeadLetter?

  /// Notes that a letter was sent again under another identifier.
  func markReplayed(_ identifier: String, as replay: String) async throws(GridError)

  /// Removes the letters that match and says how many.
  func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int

  /// How many messages the letters since then stand for.
  func count(since: CalendarTime) async throws(GridError) -> Int

  /// How many letters are kept, stand folded behind kept ones, and were dropped for lack of room.
  func counts() async throws(GridError) -> DeadLetterCounts

  func close() async
}

/// Which dead letters. A missing condition holds for all.
public struct DeadLetterFilter: Sendable, Equatable {
  /// Any of these reasons; none means all.
  public var reasons: [DeadLetter.Reason]
  /// The target's name, where `*` stands for any run of characters.
  public var target: String?
  /// Not older than this.
  public var since: CalendarTime?
  /// At most so many, the newest.
  public var limit: Int?
  /// Only letters that were replayed, or only those that were not; nil for both.
  public var isReplayed: Bool?

  public init(
    reasons: [DeadLetter.Reason] = [], target: String? = nil, since: CalendarTime? = nil, limit: Int? = nil,
    isReplayed: Bool? = nil
  ) {
    self.reasons = reasons
    self.target = target
    self.since = since
    self.limit = limit
    self.isReplayed = isReplayed
  }

  /// Whether a letter meets the conditions (``limit`` is no condition).
  public func matches(_ letter: DeadLetter) -> Bool {
    (reasons.isEmpty || reasons.contains(letter.reason))
      && (target.map { NamePattern($0).matches(letter.target) } ?? true)
      && (since.map { letter.at >= $0 } ?? true)
      && (isReplayed.map { $0 != letter.replayedAs.isEmpty } ?? true)
  }
}

/// The totals of a dead-letter log.
public struct DeadLetterCounts: Sendable, Equatable {
  /// Letters in the log.
  public var kept: Int
  /// Letters that are counted on a kept letter of the same target and reason instead of being kept themselves.
  public var folded: Int
  /// Letters dropped because the log was full.
  public var dropped: Int

  public init(kept: Int, folded: Int, dropped: Int) {
    self.kept = kept
    self.folded = folded
    self.dropped = dropped
  }
}
