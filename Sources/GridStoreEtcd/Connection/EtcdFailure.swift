internal import GRPCCore
internal import GridCore

/// Why an attempt failed, whether it may have been carried out all the same, and whether another may do better.
struct EtcdFailure: Error, Sendable {
  enum Reason: Sendable, Equatable {
    /// No connection, or it was lost, or no answer came in time.
    case unreachable
    /// The member knows no leader, or is too busy to take the request.
    case notReady
    /// What went on is not known: the request reached the cluster and got no decision.
    case undecided
    /// The token is old, or there is none.
    case tokenInvalid
    case authenticationDisabled
    case compacted
    case futureRevision
    case leaseNotFound
    case leaseExists
    /// The answer is larger than we take in one piece.
    case answerTooLarge
    /// Etcd refuses, and every member will.
    case refused
    case cancelled
  }

  var reason: Reason
  /// False only when the request certainly changed nothing.
  var mayBeApplied: Bool
  var error: GridError

  init(_ reason: Reason, mayBeApplied: Bool, _ error: GridError) {
    self.reason = reason
    self.mayBeApplied = mayBeApplied
    self.error = error
  }

  /// Whether another attempt, at another member, may succeed where this one failed.
  var isWorthAnotherAttempt: Bool {
    switch reason {
    case .unreachable, .notReady, .undecided: true
    default: false
    }
  }

  static func closed() -> EtcdFailure { EtcdFailure(.cancelled, mayBeApplied: false, CallGate.closed) }

  static func cancelled(mayBeApplied: Bool) -> EtcdFailure {
    EtcdFailure(.cancelled, mayBeApplied: mayBeApplied, GridError(.cancelled, "the call to etcd was cancelled"))
  }

  static func noAnswer(_ endpoint: EtcdConfiguration.Endpoint, after time: Duration, wasSent: Bool) -> EtcdFailure {
    EtcdFailure(
      .unreachable, mayBeApplied: wasSent,
      GridError(
        .unavailable, "etcd at \(endpoint) did not answer within \(time.wholeNanoseconds / 1_000_000) ms", hint: hint))
  }

  static let hint = "is it running and reachable? etcdctl --endpoints HOST:PORT endpoint health"
}

extension EtcdFailure {
  /// What etcd says, and what it means. Texts are those of `api/v3rpc/rpctypes/error.go`, stable since 3.0.
  private static let texts: [(String, Reason, mayBeApplied: Bool)] = [
    ("requested lease not found", .leaseNotFound, false),
    ("lease already exists", .leaseExists, false),
    ("required revision has been compacted", .compacted, false),
    ("required revision is a future revision", .futureRevision, false),
    ("invalid auth token", .tokenInvalid, false),
    ("revision of auth store is old", .tokenInvalid, false),
    ("revision in header is old", .tokenInvalid, false),
    ("user name is empty", .tokenInvalid, false),
    ("authentication is not enabled", .authenticationDisabled, false),
    ("no leader", .notReady, false),
    ("not leader", .notReady, false),
    ("too many requests", .notReady, false),
    ("raft proposal dropped", .notReady, false),
    ("not capable", .notReady, false),
    ("rpc not supported for learner", .notReady, false),
    ("request timed out", .undecided, true),
    ("leader changed", .undecided, true),
    ("server stopped", .undecided, true),
  ]

  /// - Parameter wasSent: whether the request may have left this process.
  init(_ failure: RPCError, _ endpoint: EtcdConfiguration.Endpoint, wasSent: Bool) {
    if let known = Self.texts.first(where: { failure.message.contains($0.0) }) {
      self.init(known.1, mayBeApplied: known.mayBeApplied && wasSent, Self.error(known.1, failure, endpoint))
      return
    }
    switch failure.code {
    case .resourceExhausted where !failure.message.contains("etcdserver"):
      self.init(.answerTooLarge, mayBeApplied: wasSent, Self.error(.answerTooLarge, failure, endpoint))
    case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .unauthenticated, .resourceExhausted,
      .failedPrecondition, .outOfRange, .unimplemented, .dataLoss:
      self.init(.refused, mayBeApplied: false, Self.refusal(failure))
    default:
      self.init(.unreachable, mayBeApplied: wasSent, Self.error(.unreachable, failure, endpoint))
    }
  }

  private static func error(
    _ reason: Reason, _ failure: RPCError, _ endpoint: EtcdConfiguration.Endpoint
  ) -> GridError {
    let cause = Self.cause(failure)
    switch reason {
    case .leaseNotFound: return GridError(.leaseLost, "the lease has ended", cause: cause)
    case .tokenInvalid:
      return GridError(
        .refused, "etcd asks who we are", hint: "set GRIDCTL_ETCD_USER and GRIDCTL_ETCD_PASSWORD_FILE", cause: cause)
    case .notReady, .undecided:
      return GridError(
        .unavailable, "etcd at \(endpoint) cannot decide at the moment",
        hint: "have more than half of its members a leader? etcdctl endpoint status --cluster", cause: cause)
    default:
      return GridError(.unavailable, "etcd at \(endpoint) cannot be reached", hint: hint, cause: cause)
    }
  }

  private static func refusal(_ failure: RPCError) -> GridError {
    let text = failure.message
    if text.contains("database space exceeded") {
      return GridError(
        .unavailable, "etcd refuses writes: its database is full (NOSPACE alarm)",
        hint: "make room: etcdctl compact, etcdctl defrag, then etcdctl alarm disarm", cause: text)
    }
    if text.contains("request is too large") {
      return GridError(
        .undecodable, "etcd refuses the entry: it is too large", hint: "see etcd's --max-request-bytes", cause: text)
    }
    switch failure.code {
    case .permissionDenied, .unauthenticated:
      return GridError(
        .refused, "etcd denies us access", hint: "etcdctl user get USER, etcdctl role get ROLE", cause: text)
    case .invalidArgument where text.contains("authentication failed"):
      return GridError(
        .refused, "etcd does not accept the user or the password",
        hint: "see GRIDCTL_ETCD_USER and GRIDCTL_ETCD_PASSWORD_FILE", cause: text)
    case .invalidArgument: return GridError(.usage, "etcd does not accept the transaction", cause: text)
    default: return GridError(.failed, "etcd refuses", cause: cause(failure))
    }
  }

  /// The innermost text says most: the outer ones only that a channel is not ready.
  private static func cause(_ failure: RPCError) -> String {
    var innermost = failure.message
    var next = failure.cause
    while let current = next {
      if let known = current as? RPCError {
        innermost = known.message
        next = known.cause
      } else {
        innermost = String(describing: current)
        next = nil
      }
    }
    return "\(failure.code): \(innermost)"
  }
}
