/// A message that was not handled, kept with where it should have gone, why it did not, and when.
public struct DeadLetter: Sendable, Equatable {
  /// Unique in the cluster and sortable by time; see ``DeadLetterIdentifier``.
  public var identifier: String
  public var at: CalendarTime
  public var reason: Reason
  /// The name of the actor it was meant for.
  public var target: String
  /// The actor, client or node that sent it; empty when unknown.
  public var sender: String
  /// The node that keeps it.
  public var node: String
  /// What was sent. Where a list was asked for less, its body is only the beginning, or empty.
  public var message: Message
  /// How long the kept body is, in bytes.
  public var bodyBytes: Int
  /// How many letters of the same target and reason this one stands for (itself included).
  public var count: Int
  /// What failed, for a person; empty when the reason says it all.
  public var detail: String
  /// The identifier of the letter's replay; empty until it was replayed.
  public var replayedAs: String

  package init(
    identifier: String, at: CalendarTime, reason: Reason, target: String, sender: String, node: String,
    message: Message, bodyBytes: Int? = nil, count: Int = 1, detail: String = "", replayedAs: String = ""
  ) {
    self.identifier = identifier
    self.at = at
    self.reason = reason
    self.target = target
    self.sender = sender
    self.node = node
    self.message = message
    self.bodyBytes = bodyBytes ?? message.body.count
    self.count = count
    self.detail = detail
    self.replayedAs = replayedAs
  }

  /// Whether ``message`` has less than the whole body.
  public var isBodyCut: Bool { message.body.count < bodyBytes }

  /// What the letter is charged with where letters are bounded by bytes. How long its body is may be another's word.
  package var cost: Int { max(0, bodyBytes).addingClamped(costBesideBody) }

  /// The same without its body.
  package var costBesideBody: Int {
    message.extraBytes + target.utf8.count + sender.utf8.count + detail.utf8.count + 256
  }

  /// The letter with at most so much of its body.
  package func cut(toBody limit: Int) -> DeadLetter {
    guard message.body.count > limit else { return self }
    var letter = self
    letter.message.body = Array(message.body.prefix(max(0, limit)))
    return letter
  }

  /// Why a message was not handled. The raw values are part of the JSON contract.
  public enum Reason: String, Sendable, CaseIterable {
    case noSuchActor = "no-such-actor"
    case mailboxFull = "mailbox-full"
    case stopped = "stopped"
    case deadline = "deadline"
    case undecodable = "undecodable"
    case handlerFailed = "handler-failed"
    case nodeLost = "node-lost"
    case refused = "refused"
  }
}
