package import GridCore

/// What a node or a client does with what arrives on its links. Called on the event loop of the link: returns at once.
package protocol LinkReceiver: AnyObject, Sendable {
  /// The handshake is done; frames follow.
  func opened(_ link: Link)
  /// Tells and asks for our actors, or for ones we are to pass them on to, in the order they came. The receiver takes
  /// them out of the queue; the link keeps the empty queue's storage for the next read.
  func received(_ envelopes: inout EnvelopeQueue, on link: Link)
  /// A control request.
  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link)
  /// What the peer tells without being asked.
  func received(_ signal: LinkSignal, on link: Link)
  /// The peer gave up on the request or stream of that number.
  func cancelled(_ correlation: UInt64, on link: Link)
  /// All frames of one read have been delivered: time to run what they were for.
  func readCompleted(_ link: Link)
  /// An envelope that was to leave on the link could not; whoever waits for it must be told.
  func undeliverable(_ envelope: Envelope, _ error: GridError)
  /// The link is closed, its exchanges have failed. Called once a link that was opened.
  func closed(_ link: Link, _ error: GridError)
}
