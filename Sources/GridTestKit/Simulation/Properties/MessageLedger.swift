internal import GridCore

/// What became of each message that somebody sent: S9, S10 and S11. Pure.
struct MessageLedger {
  /// How a sender knows that its message is on its way.
  enum Promise {
    /// None was given, or not yet.
    case none
    /// It is in the target's mailbox.
    case accepted
    /// It has left: it may be lost with a connection, and with nothing else.
    case left
  }

  private struct Sent {
    var target: String
    var sender: String
    var sentAt: MonotonicTime
    var deadline: MonotonicTime
    /// Whether it must have an outcome.
    var isAwaited: Bool
    var handled = 0
    var isDeadLetter = false
    var outcomes = 0
    var promise = Promise.none
    var promisedAt: MonotonicTime?
  }

  /// By number, from 1.
  private var messages: [Sent] = []
  /// By sender and actor: the last number handled, by epoch.
  private var sequences: [String: [Int64: Int]] = [:]
  /// The dead letters that were acknowledged, by the disk that they are on.
  private var letters: [String: Set<String>] = [:]

  /// - Returns: the number of the message.
  mutating func sends(
    _ target: String, from sender: String, at now: MonotonicTime, within limit: Duration, isAwaited: Bool
  ) -> Int {
    messages.append(
      Sent(target: target, sender: sender, sentAt: now, deadline: now + limit, isAwaited: isAwaited))
    return messages.count
  }

  /// S9: a handler has a message once.
  mutating func handled(_ number: Int, by activation: ActivationLedger.Activation) -> [Breach] {
    guard messages.indices.contains(number - 1) else { return [] }
    messages[number - 1].handled += 1
    let times = messages[number - 1].handled
    guard times > 1 else { return [] }
    return [
      Breach("S9", "message \(number) was handled \(times) times, now by \(activation.name) on \(activation.process)")
    ]
  }

  /// S10: those of one sender come in the order in which they were sent.
  mutating func received(
    _ sequence: Int, from sender: String, by activation: ActivationLedger.Activation
  ) -> [Breach] {
    let former = sequences["\(sender) \(activation.name)", default: [:]].updateValue(
      sequence, forKey: activation.epoch)
    guard let former, sequence <= former else { return [] }
    return [Breach("S10", "\(activation.name) had number \(sequence) of \(sender) after \(former)")]
  }

  /// S9: who waits has one outcome, by the deadline.
  ///
  /// - Parameter isHealthy: whether its process ran all the time.
  mutating func ended(
    _ number: Int, _ promise: Promise, at now: MonotonicTime, isHealthy: Bool
  ) -> [Breach] {
    guard messages.indices.contains(number - 1) else { return [] }
    messages[number - 1].outcomes += 1
    messages[number - 1].promise = promise
    messages[number - 1].promisedAt = now
    let sent = messages[number - 1]
    if sent.outcomes > 1 { return [Breach("S9", "message \(number) has \(sent.outcomes) outcomes")] }
    let late = now - sent.deadline
    guard isHealthy, late > .milliseconds(500) else { return [] }
    return [Breach("S9", "message \(number) to \(sent.target) had its outcome \(late) after its deadline")]
  }

  // MARK: Dead letters

  /// A dead letter was acknowledged by a disk: it is there for ever.
  mutating func kept(_ letter: String, number: Int?, on disk: String) -> [Breach] {
    if let number, messages.indices.contains(number - 1) { messages[number - 1].isDeadLetter = true }
    return letters[disk, default: []].insert(letter).inserted
      ? [] : [Breach("S11", "two dead letters of \(disk) are \(letter)")]
  }

  /// S11: what a disk has at the end.
  func found(_ there: Set<String>, on disk: String) -> [Breach] {
    (letters[disk] ?? []).subtracting(there).sorted().prefix(3).map {
      Breach("S11", "dead letter \($0) was acknowledged, and is not on the disk of \(disk)")
    }
  }

  // MARK: The end

  /// S9 and S11 at the end: whoever still lives has heard; what was promised was handled, is a dead letter, or was with
  /// a process or a connection that is gone.
  func conclude(_ activations: ActivationLedger, _ processes: ProcessLedger) -> [Breach] {
    messages.enumerated().flatMap { place, sent -> [Breach] in
      if sent.isAwaited, sent.outcomes == 0, !processes.dead.contains(sent.sender) {
        return [Breach("S9", "message \(place + 1) to \(sent.target) never had an outcome")]
      }
      guard let promisedAt = sent.promisedAt, sent.handled == 0, !sent.isDeadLetter else { return [] }
      switch sent.promise {
      case .none: return []
      case .accepted: break
      case .left:
        if processes.killed.contains(sent.sender) { return [] }
        if processes.hasLostConnection(sent.sender, since: sent.sentAt) { return [] }
      }
      if activations.wasWithKilled(sent.target, from: sent.sentAt, to: promisedAt, processes) { return [] }
      return [
        Breach("S11", "message \(place + 1) to \(sent.target) \(sent.promise), neither handled nor a dead letter")
      ]
    }
  }
}
