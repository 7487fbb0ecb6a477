/// Why an actor has ended. More cases may come.
public enum TerminationReason: Sendable, Equatable {
  /// Somebody asked for it.
  case request
  /// Somebody asked for it, and not to wait for its handler.
  case killed
  /// Somebody asked for it, and its handler did not return in time.
  case handlerDidNotReturn
  /// It asked for its own end.
  case itself
  /// Its node leaves the cluster.
  case nodeLeaves
  /// Its node lost the lease that the actor's name hangs on.
  case leaseLost
  /// The kind answers this failure with the actor's end.
  case failed(GridError)
  /// It failed once more than its restart policy allows within a time.
  indirect case supervisionGaveUp(GridError, restarts: Int, within: Duration)
  /// It failed, and its kind could not make a fresh one.
  case cannotBeMadeAgain(GridError)
  /// Its first start failed.
  case couldNotStart(GridError)
  /// Its node left or lost its lease before it could start.
  case startBrokenOff
  /// It was stopped before it had started.
  case stoppedBeforeStart
  /// The benchmark that it was made for is over.
  case benchmarkIsOver

  /// The failure that led to it, if one did.
  public var error: GridError? {
    switch self {
    case .failed(let error), .supervisionGaveUp(let error, _, _), .cannotBeMadeAgain(let error),
      .couldNotStart(let error):
      error
    default: nil
    }
  }
}
