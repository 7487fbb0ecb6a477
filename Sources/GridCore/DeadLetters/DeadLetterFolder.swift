/// A message that was not handled, before it has an identifier.
package struct UndeliveredMessage: Sendable, Equatable {
  package var target: String
  package var reason: DeadLetter.Reason
  package var detail: String
  package var sender: String
  package var message: Message
  package var at: CalendarTime

  package init(
    target: String, reason: DeadLetter.Reason, detail: String, sender: String, message: Message, at: CalendarTime
  ) {
    self.target = target
    self.reason = reason
    self.detail = detail
    self.sender = sender
    self.message = message
    self.at = at
  }

  /// What it is charged with while it waits in memory.
  package var cost: Int { message.cost + message.extraBytes + detail.utf8.count + 256 }
}

/// Turns a storm of dead letters into a few that are shown and counts: of one target and reason, the first letters of
/// each second are shown, the rest is counted on one more that stands for them: the latest. All of them are kept.
///
/// Pure: time comes in with each letter.
package struct DeadLetterFolder: Sendable {
  /// Letters of one target and reason that are shown one by one in each second.
  package let shownPerSecond: Int
  /// Targets and reasons told apart; beyond it storms are counted together under the target `*`.
  package let maximumStorms: Int

  private struct Key: Hashable {
    var target: String
    var reason: DeadLetter.Reason
  }

  private struct Storm {
    var second: Int64
    var shown: Int
    var folded: DeadLetter?
  }

  private var storms: [Key: Storm] = [:]
  private var ready: [DeadLetter] = []

  package init(shownPerSecond: Int = 100, maximumStorms: Int = 1024) {
    self.shownPerSecond = shownPerSecond
    self.maximumStorms = maximumStorms
  }

  /// Takes a letter in; it comes out of ``take(isClosing:at:)``, by itself or counted on another.
  package mutating func add(_ letter: DeadLetter) {
    var key = Key(target: letter.target, reason: letter.reason)
    if storms[key] == nil, storms.count >= maximumStorms { key.target = "*" }
    let second = letter.at.millisecondsSince1970 / 1000
    var storm = storms[key] ?? Storm(second: second, shown: 0)
    if storm.second != second {
      if let folded = storm.folded { ready.append(folded) }
      storm = Storm(second: second, shown: 0)
    }
    if storm.shown < shownPerSecond {
      storm.shown += 1
      ready.append(letter)
    } else {
      var folded = letter
      folded.target = key.target
      folded.count = (storm.folded?.count ?? 0).addingClamped(letter.count)
      storm.folded = folded
    }
    storms[key] = storm
  }

  /// Whether some letters are being counted together.
  package var isFolding: Bool { storms.values.contains { $0.folded != nil } }

  /// What can be shown now: letters by themselves, and the counts of seconds that are over (all counts with
  /// `isClosing`).
  package mutating func take(isClosing: Bool = false, at now: CalendarTime) -> [DeadLetter] {
    let second = now.millisecondsSince1970 / 1000
    for (key, storm) in storms where isClosing || storm.second != second {
      if let folded = storm.folded { ready.append(folded) }
      storms[key] = nil
    }
    defer { ready = [] }
    return ready.sorted { ($0.at, $0.identifier) < ($1.at, $1.identifier) }
  }
}
