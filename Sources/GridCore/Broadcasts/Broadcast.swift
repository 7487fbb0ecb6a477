/// How many of those who get a broadcast must reply.
public enum ReplyRequirement: Sendable, Hashable {
  case all
  /// More than half.
  case quorum
  case any
  case count(Int)

  /// How many that is of `asked`; more than `asked` where somebody wants more than there are.
  public func count(of asked: Int) -> Int {
    switch self {
    case .all: asked
    case .quorum: asked / 2 + 1
    case .any: 1
    case .count(let count): max(0, count)
    }
  }
}

/// How a broadcast goes about it.
///
/// ```swift
/// var options = BroadcastOptions()
/// options.requirement = .quorum
/// options.retries = 2
/// ```
public struct BroadcastOptions: Sendable, Hashable {
  /// How many must reply for it to count as done.
  public var requirement = ReplyRequirement.all
  /// Whether the first reply ends it: the others are cancelled then, and one reply is enough.
  public var endsWithFirst = false
  /// How often an actor that has failed is asked again; the others are not. What is wrong with the message itself is
  /// not tried again.
  public var retries = 0
  /// How many are asked at once; the others wait until one of them is done.
  public var parallel = 64
  /// How long each attempt may take.
  public var timeout: Duration = .seconds(5)

  public init() {}

  /// The pauses between the attempts.
  package static let backoff = Backoff(first: .milliseconds(100), limit: .seconds(2))

  /// Whether somebody who answered with that is asked once more.
  package func retries(_ error: GridError, after attempts: Int) -> Bool {
    attempts <= retries && !error.code.blamesMessage && error.code != .cancelled
  }
}

/// What became of a broadcast at one actor.
public struct BroadcastReply: Sendable {
  /// Whose it is.
  public let address: String
  /// The reply, or why there is none; ``GridError/Code/cancelled`` when another one was faster.
  public let result: Result<Message, GridError>
  /// How often the actor was asked: 0 when it was not, since another one was faster.
  public let attempts: Int
  /// From the first attempt on.
  public let elapsed: Duration

  package init(_ address: String, _ result: Result<Message, GridError>, attempts: Int, elapsed: Duration) {
    self.address = address
    self.result = result
    self.attempts = attempts
    self.elapsed = elapsed
  }

  /// Of one that has lost the race.
  package static func outrun(_ address: String, attempts: Int, elapsed: Duration = .zero) -> BroadcastReply {
    BroadcastReply(
      address, .failure(GridError(.cancelled, "another actor was faster")), attempts: attempts, elapsed: elapsed)
  }
}

/// What became of a broadcast.
public struct BroadcastResult: Sendable {
  /// One for each actor, in the order in which they were named.
  public let members: [BroadcastReply]
  /// How many replies it took.
  public let required: Int

  package init(_ members: [BroadcastReply], _ options: BroadcastOptions) {
    self.members = members
    required = options.endsWithFirst ? 1 : options.requirement.count(of: members.count)
  }

  /// The replies, by address.
  public var replies: [String: Message] {
    members.reduce(into: [:]) { if case .success(let reply) = $1.result { $0[$1.address] = reply } }
  }

  /// Why the others gave none, by address; without those that another one was faster than.
  public var failures: [String: GridError] {
    members.reduce(into: [:]) {
      if case .failure(let error) = $1.result, error.code != .cancelled { $0[$1.address] = error }
    }
  }

  /// Whether as many have replied as were to.
  public var isComplete: Bool { members.count { if case .success = $0.result { true } else { false } } >= required }
}
