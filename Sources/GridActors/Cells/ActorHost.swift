package import GridCore

/// What a cell needs of the node around it. Called from any thread; implementations return at once.
package protocol ActorHost: AnyObject, Sendable {
  var nodeName: String { get }
  var namespace: String { get }
  /// The monotonic clock of ``timers``; asked for every message.
  func now() -> MonotonicTime
  /// For pauses, and whatever else waits for a time.
  var timers: any Timers { get }
  /// Where cells run that are not run on the thread their mail comes on; nil for the pool.
  var executor: (any TaskExecutor)? { get }
  var deadlines: DeadlineList { get }
  /// The traces under way on the node.
  var taps: TraceTaps { get }
  /// Whether the node certainly still owns the names of its actors at that time.
  func ownsNames(at now: MonotonicTime) -> Bool
  /// Sends on behalf of an actor; where the target is here and idle, it runs in that place.
  func route(_ envelope: Envelope, _ place: ActorCell.Place)
  func deadLetter(_ envelope: Envelope, _ reason: DeadLetter.Reason, _ detail: String)
  /// The cell has ended: its name is free to be released.
  func ended(_ cell: ActorCell, _ reason: TerminationReason)
  /// An actor failed and is restarted, or `ends` by it; for whoever asks how the node is.
  func failed(_ name: String, _ error: GridError, ends: Bool)
  func happened(_ fact: GridEvent.Fact, _ name: String)
  func log(actor: String, _ text: String, isError: Bool)
}

extension ActorHost {
  func route(_ envelope: Envelope) { route(envelope, .pool) }
}
