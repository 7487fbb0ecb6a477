internal import GridCore

/// What a node remembers of where the actors of others are, and of names that nobody has: no more than it used, and no
/// more than it has room for. Pure.
///
/// Changes that are heard of correct what is remembered; of other names nothing is kept.
struct LocationCache: Sendable {
  /// Locations of each of the two generations: when the young one is full, the old one is forgotten.
  static let generation = 32_768
  /// Names that nobody has; when there are more, all of them are forgotten.
  static let missingCapacity = 4096
  /// How long it may be remembered that nobody has a name.
  static let missingTime = Duration.milliseconds(500)
  /// How many questions for a name that nobody has are let through in that time: who has just asked in vain, and then
  /// made the actor on another node, is not told the old answer.
  static let missingAllowance = 2

  private struct Miss {
    var until: MonotonicTime
    var questions: Int
  }

  /// Questions for one name that are on their way.
  private struct Question {
    var count = 1
    /// Whether something was heard of the name since the first of them: the answer may be older.
    var isOvertaken = false
  }

  private var young: [String: Location] = [:]
  private var old: [String: Location] = [:]
  private var missing: [String: Miss] = [:]
  private var questions: [String: Question] = [:]

  /// What is remembered of a name.
  mutating func find(_ name: String) -> Location? {
    if let location = young[name] { return location }
    guard let location = old.removeValue(forKey: name) else { return nil }
    learn(name, location)
    return location
  }

  /// So many of the names that are remembered, in no order.
  func names(atMost count: Int) -> [String] {
    Array(young.keys.prefix(count)) + old.keys.prefix(max(0, count - young.count))
  }

  private mutating func learn(_ name: String, _ location: Location) {
    if young.count >= Self.generation, young[name] == nil {
      old = young
      young = [:]
    }
    young[name] = location
  }

  /// Whether nobody has the name by what was found out a moment ago, often enough.
  func isMissing(_ name: String, at now: MonotonicTime) -> Bool {
    guard let miss = missing[name] else { return false }
    return now < miss.until && miss.questions >= Self.missingAllowance
  }

  // MARK: Questions

  /// The store is asked for a name; ``answered(_:_:at:)`` or ``failed(_:)`` follows.
  mutating func asks(_ name: String) { questions[name, default: Question(count: 0)].count += 1 }

  /// The store has answered. An answer that may be older than what was heard meanwhile is not remembered.
  mutating func answered(_ name: String, _ location: Location?, at now: MonotonicTime) {
    let isOvertaken = questions[name]?.isOvertaken ?? false
    failed(name)
    if isOvertaken { return }
    guard let location else {
      forget(name)
      return miss(name, at: now)
    }
    missing[name] = nil
    old[name] = nil
    learn(name, location)
  }

  /// The store has not answered.
  mutating func failed(_ name: String) {
    guard let question = questions[name] else { return }
    questions[name]?.count -= 1
    if question.count <= 1 { questions[name] = nil }
  }

  private mutating func miss(_ name: String, at now: MonotonicTime) {
    if let miss = missing[name], now < miss.until {
      missing[name]?.questions += 1
      return
    }
    if missing.count >= Self.missingCapacity { missing = [:] }
    missing[name] = Miss(until: now + Self.missingTime, questions: 1)
  }

  // MARK: News

  /// Whether something is remembered of a name, so that news of it count.
  func remembers(_ name: String) -> Bool {
    young[name] != nil || old[name] != nil || missing[name] != nil || questions[name] != nil
  }

  /// A name was claimed, or its claim changed; nil when what stands there is no claim.
  mutating func heard(_ name: String, _ location: Location?) {
    guard remembers(name) else { return }
    questions[name]?.isOvertaken = true
    missing[name] = nil
    guard let location else { return forget(name) }
    // What was found out since may be newer than what is only now heard of.
    if let known = young[name] ?? old[name], known.epoch > location.epoch { return }
    old[name] = nil
    learn(name, location)
  }

  /// A name was freed.
  mutating func heardEnd(_ name: String, at revision: Int64) {
    guard remembers(name) else { return }
    questions[name]?.isOvertaken = true
    if let known = young[name] ?? old[name], known.epoch < revision { forget(name) }
  }

  /// A node has said that a name is not with it. That is worth something where the name is remembered to be there: a
  /// later claim takes its place, and without one the store is asked next time.
  mutating func moved(_ name: String, from node: String, to location: Location?) {
    guard let known = young[name] ?? old[name], known.node == node else { return }
    forget(name)
    if let location, location.node != node, location.epoch > known.epoch { learn(name, location) }
  }

  /// This node has claimed a name: it need not remember where that is.
  mutating func claimed(_ name: String) {
    questions[name]?.isOvertaken = true
    missing[name] = nil
    forget(name)
  }

  /// This node has released a name.
  mutating func released(_ name: String, epoch: Int64) {
    questions[name]?.isOvertaken = true
    if (young[name] ?? old[name])?.epoch == epoch { forget(name) }
  }

  private mutating func forget(_ name: String) {
    young[name] = nil
    old[name] = nil
  }

  /// Anything may have changed.
  mutating func forgetAll() {
    young = [:]
    old = [:]
    missing = [:]
    for name in questions.keys { questions[name]?.isOvertaken = true }
  }
}
