/// What went wrong, on what, and what to try.
///
/// Every failure of gridctl that a caller can meet is a `GridError`: thrown inside a process, carried as `code` and
/// `message` on the wire, and turned into an exit code by the command line. Two errors are equal when their codes are.
public struct GridError: Error, Sendable, Hashable {
  /// The stable kind of failure: short and bounded, fit for a metric label and for the wire.
  public var code: Code
  /// One sentence for a person: what failed and on what.
  public var message: String
  /// What to try next, when there is something worth trying.
  public var hint: String?
  /// The text of the error underneath, when there was one.
  public var cause: String?

  public init(_ code: Code, _ message: String, hint: String? = nil, cause: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.cause = cause
  }

  /// Wraps an error of another library, keeping its text as the cause.
  public init(_ code: Code, _ message: String, hint: String? = nil, cause: any Error) {
    self.init(code, message, hint: hint, cause: String(describing: cause))
  }

  public static func == (left: GridError, right: GridError) -> Bool { left.code == right.code }

  public func hash(into hasher: inout Hasher) { hasher.combine(code) }

  /// `error` itself when it is a `GridError`, else an error of `code` that carries its text.
  package static func wrapping(_ error: any Error, as code: Code, _ message: String) -> GridError {
    if let known = error as? GridError { return known }
    if error is CancellationError { return GridError(.cancelled, message) }
    return GridError(code, message, cause: error)
  }
}

extension GridError: CustomStringConvertible {
  public var description: String {
    guard let cause else { return message }
    return "\(message) (\(cause))"
  }
}

extension GridError {
  /// A stable failure code. New codes may be added; the label of an existing one never changes.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// The name used on the wire, in logs and in JSON.
    public let label: String

    private init(_ label: String) { self.label = label }

    /// A handler answered with an error, or threw.
    public static let handlerFailed = Code("handler-failed")
    /// Something failed that has no better code.
    public static let failed = Code("failed")
    /// Part of the work was done; the rest is named in the message.
    public static let partial = Code("partial")
    /// The request itself is wrong: a bad name, option or combination.
    public static let usage = Code("usage")
    /// A body or file cannot be read as what it should be, or is too large.
    public static let undecodable = Code("undecodable")
    /// An input file does not exist or cannot be read.
    public static let noInput = Code("no-input")
    /// No actor of that name exists in the namespace.
    public static let noSuchActor = Code("no-such-actor")
    /// No node offers that kind.
    public static let noSuchKind = Code("no-such-kind")
    /// No entry of that name exists (dead letter, key, context).
    public static let notFound = Code("not-found")
    /// No node of that name is a member.
    public static let noSuchNode = Code("no-such-node")
    /// Nothing answers where the answer should come from.
    public static let unavailable = Code("unavailable")
    /// The node that held the actor was lost before it answered.
    public static let nodeLost = Code("node-lost")
    /// The actor stopped before it handled the message.
    public static let stopped = Code("stopped")
    /// A bug in gridctl.
    public static let software = Code("software")
    /// The name, or the revision of a compare-and-swap, is somebody else's.
    public static let nameTaken = Code("name-taken")
    /// Local input or output failed.
    public static let inputOutput = Code("input-output")
    /// The mailbox is full; sending again later is sensible.
    public static let mailboxFull = Code("mailbox-full")
    /// Busy, draining or moving; sending again later is sensible.
    public static let retryLater = Code("retry-later")
    /// The other side speaks another protocol version, or is in another namespace.
    public static let protocolMismatch = Code("protocol-mismatch")
    /// Refused by policy: permission, role, or an unsafe setting.
    public static let refused = Code("refused")
    /// A configuration value is wrong.
    public static let configuration = Code("configuration")
    /// The deadline passed.
    public static let deadline = Code("deadline")
    /// The caller gave up.
    public static let cancelled = Code("cancelled")
    /// The reader of our output went away.
    public static let brokenPipe = Code("broken-pipe")
    /// A lease ended: its holder no longer owns what it named.
    public static let leaseLost = Code("lease-lost")
    /// The node leaves the cluster, or is between two memberships: nothing of the request was done, and another node
    /// can be asked at once.
    public static let notServing = Code("not-serving")

    /// Every code, for documentation, tests and decoding.
    package static let all: [Code] = [
      .handlerFailed, .failed, .partial, .usage, .undecodable, .noInput, .noSuchActor, .noSuchKind, .notFound,
      .noSuchNode, .unavailable, .nodeLost, .stopped, .software, .nameTaken, .inputOutput, .mailboxFull, .retryLater,
      .protocolMismatch, .refused, .configuration, .deadline, .cancelled, .brokenPipe, .leaseLost,
      .notServing,
    ]

    /// The code a peer named; an unknown label of a newer peer reads as ``failed``.
    package static func named(_ label: String) -> Code { all.first { $0.label == label } ?? .failed }

    public var description: String { label }
  }
}

extension GridError.Code {
  /// Whether the message was at fault and not who handles it: it could not be read, or may not be asked for. Such a
  /// message harms nobody but its sender.
  package var blamesMessage: Bool { self == .undecodable || self == .refused || self == .usage }
}
