/// How a store misbehaves: what networks, leader changes and overload do to etcd and to who uses it. All chances are
/// from 0 to 1.
package struct StoreFaults: Sendable, Equatable {
  /// How long a request is under way, there and back again together.
  package var journey: ClosedRange<Duration> = .zero ... .zero
  /// How long a client waits for an answer.
  package var timeout = Duration.seconds(5)
  /// The chance that a request does not arrive.
  package var lostRequests = 0.0
  /// The chance that a request is carried out and its answer does not arrive.
  package var lostAnswers = 0.0
  /// The chance that a transaction is carried out only after its sender has given up.
  package var lateRequests = 0.0
  /// How long changes take to be told to a watch.
  package var lag: ClosedRange<Duration> = .zero ... .zero
  /// The chance, for each delivery, that the watch breaks instead.
  package var brokenWatches = 0.0
  /// The chance, for each delivery, that the changes were compacted away instead.
  package var gaps = 0.0
  /// The chance, for each delivery, that changes are told again that were told before.
  package var repetitions = 0.0
  /// How long the store is there before it is away, nil for ever; and how long it is away then.
  package var presence: ClosedRange<Duration>?
  package var absence: ClosedRange<Duration> = .seconds(1) ... .seconds(4)
  /// The chance, for each lease at each end of an absence, that the store has forgotten it: the leader changed.
  package var forgottenLeases = 0.0
  /// The chance, for each lease at each end of an absence, that it begins to live anew there: it ends later than its
  /// holder believes.
  package var prolongedLeases = 0.0

  /// A store that does what it is asked.
  package init() {}

  /// What etcd does in bad times: everything, now and then.
  package static var badTimes: StoreFaults {
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
