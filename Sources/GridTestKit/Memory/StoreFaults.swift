/// How a store misbehaves: what networks, leader changes and overload do to etcd and to who uses it. All chances are
/// from 0 to 1.
public struct StoreFaults: Sendable, Equatable {
  /// How long a request is under way, there and back again together.
  public var journey: ClosedRange<Duration> = .zero ... .zero
  /// How long a client waits for an answer.
  public var timeout = Duration.seconds(5)
  /// The chance that a request does not arrive.
  public var lostRequests = 0.0
  /// The chance that a request is carried out and its answer does not arrive.
  public var lostAnswers = 0.0
  /// The chance that a transaction is carried out only after its sender has given up.
  public var lateRequests = 0.0
  /// How long changes take to be told to a watch.
  public var lag: ClosedRange<Duration> = .zero ... .zero
  /// The chance, for each delivery, that the watch breaks instead.
  public var brokenWatches = 0.0
  /// The chance, for each delivery, that the changes were compacted away instead.
  public var gaps = 0.0
  /// The chance, for each delivery, that changes are told again that were told before.
  public var repetitions = 0.0
  /// How long the store is there before it is away, nil for ever; and how long it is away then.
  public var presence: ClosedRange<Duration>?
  public var absence: ClosedRange<Duration> = .seconds(1) ... .seconds(4)
  /// The chance, for each lease at each end of an absence, that the store has forgotten it: the leader changed.
  public var forgottenLeases = 0.0
  /// The chance, for each lease at each end of an absence, that it begins to live anew there: it ends later than its
  /// holder believes.
  public var prolongedLeases = 0.0

  /// A store that does what it is asked.
  public init() {}

  /// What etcd does in bad times: everything, now and then.
  public static var badTimes: StoreFaults {
    var faults = StoreFaults()
    faults.journey = .milliseconds(1) ... .milliseconds(20)
    faults.lostRequests = 0.01
    faults.lostAnswers = 0.01
    faults.lateRequests = 0.005
    faults.lag = .zero ... .milliseconds(300)
    faults.brokenWatches = 0.02
    faults.gaps = 0.02
    faults.repetitions = 0.05
    faults.presence = .seconds(5) ... .seconds(30)
    faults.forgottenLeases = 0.1
    faults.prolongedLeases = 0.5
    return faults
  }
}
