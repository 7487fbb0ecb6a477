package import GridCore

extension DeadLetter.Reason {
  /// The reason that fits a failure.
  package init(_ code: GridError.Code) {
    switch code {
    case .noSuchActor: self = .noSuchActor
    case .mailboxFull: self = .mailboxFull
    case .stopped, .cancelled: self = .stopped
    case .deadline: self = .deadline
    case .undecodable: self = .undecodable
    case .nodeLost, .unavailable: self = .nodeLost
    case .refused, .retryLater, .notServing: self = .refused
    default: self = .handlerFailed
    }
  }
}
