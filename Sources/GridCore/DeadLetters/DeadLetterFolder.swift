/// A message that was not handled, before it has an identifier.
public struct UndeliveredMessage: Sendable, Equatable {
  public var target: String
  public var reason: DeadLetter.Reason
  public var detail: String
  public var sender: String
  public var message: Message
  public var at: CalendarTime
  public var count: Int

  public init(
    target: String, reason: DeadLetter.Reason, detail: String, sender: String, message: Message, at: CalendarTime,
    count: Int = 1
  ) {
    self.target = target
    self.reason = reason
    self.detail = detail
    self.sender = sender
    self.message = message
    self.at = at
    self.count = count
  }
}

/// Turns a storm of dead letters into a few kept ones and counts: of one target and reason, the first letters of each
/// second are kept, the rest is counted on one more letter that carries the latest message.
///
/// Pure: time comes in with each letter.
public struct DeadLetterFolder: Sendable {
  /// Letters of one target and reason that are kept one by one in each second.
  public let keptPerSecond: Int
  /// Targets and reasons told apart; beyond it storms are counted together under the target `*`.
  public let maximumStorms: Int

  private struct Key: Hashable {
    var target: String
    var reason: DeadLetter.Reason
  }

  private struct Storm {
    var second: Int64
    var kept: Int
    var folded: UndeliveredMessage?
  }

  private var storms: [Key: Storm] = [:]
  private var ready: [UndeliveredMessage] = []

  public init(keptPerSecond: Int = 100, maximumStorms: Int = 1024) {
    self.keptPerSecond = keptPerSecond
    self.maximumStorms = maximumStorms
  }

  /// Takes a letter in; it comes out of ``take(isClosing:at:)``, by itself or counted on another.
  public mutating func add(_ letter: UndeliveredMessage, canKeep: Bool) {
    var key = Key(target: letter.target, reason: letter.reason)
    if storms[key] == nil, storms.count >= maximumStorms { key.target = "*" }
    let second = letter.at.millisecondsSince1970 / 1000
    var storm = storms[key] ?? Storm(second: second, kept: 0)
    if storm.second != second {
      if let folded = storm.folded { ready.append(folded) }
      storm = Storm(second: second, kept: 0)
    }
    if storm.kept < keptPerSecond, canKeep {
      storm.kept += 1
      ready.append(letter)
    } else {
      var folded = letter
      folded.target = key.target
      folded.count = (storm.folded?.count ?? 0) + letter.count
      storm.folded = folded
    }
    storms[key] = storm
  }

  /// Letters waiting to be taken.
  public var readyCount: Int { ready.count }
  /// Whether some letters are being counted together.
  public var isFolding: Bool { storms.values.contains { $0.folded != nil } }

  /// What can be written now: kept letters, and the counts of seconds that are over (all counts with `isClosing`).
  public mutating func take(isClosing: Bool = false, at now: CalendarTime) -> [UndeliveredMessage] {
    let second = now.millisecondsSince1970 / 1000
    let over = storms.filter { isClosing || $0.value.second != second }
    // Sorted, since the order of a dictionary differs from run to run.
    for (key, storm) in over.sorted(by: {
      ($0.key.target, $0.key.reason.rawValue) < ($1.key.target, $1.key.reason.rawValue)
    }) {
      if let folded = storm.folded { ready.append(folded) }
      storms[key] = nil
    }
    defer { ready = [] }
    return ready.sorted { $0.at < $1.at }
  }
}
