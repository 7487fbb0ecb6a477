internal import GridCore

/// The exit codes, and the only place that maps errors to them.
enum ExitStatus: Int32, CaseIterable {
  case ok = 0
  case failed = 1
  case negative = 2
  case partial = 3
  case usage = 64
  case data = 65
  case noInput = 66
  case noUser = 67
  case noHost = 68
  case unavailable = 69
  case software = 70
  case cannotCreate = 73
  case inputOutput = 74
  case temporaryFailure = 75
  case protocolMismatch = 76
  case noPermission = 77
  case configuration = 78
  case deadline = 124
  case interrupted = 130
  case brokenPipe = 141
  case terminated = 143

  init(_ code: GridError.Code) {
    switch code {
    case .partial: self = .partial
    case .usage: self = .usage
    case .undecodable: self = .data
    case .noInput: self = .noInput
    case .noSuchActor, .noSuchKind, .notFound, .stopped: self = .noUser
    case .noSuchNode: self = .noHost
    case .unavailable, .nodeLost, .leaseLost: self = .unavailable
    case .software: self = .software
    case .nameTaken: self = .cannotCreate
    case .inputOutput: self = .inputOutput
    case .mailboxFull, .retryLater: self = .temporaryFailure
    case .protocolMismatch: self = .protocolMismatch
    case .refused: self = .noPermission
    case .configuration: self = .configuration
    case .deadline: self = .deadline
    case .cancelled: self = .interrupted
    case .brokenPipe: self = .brokenPipe
    default: self = .failed
    }
  }

  /// What the code means, for `help exit-codes` and the man page.
  var meaning: String {
    switch self {
    case .ok: "done; an empty list is ok"
    case .failed: "the handler answered with an error, or a failure without a better code"
    case .negative: "the answer is no"
    case .partial: "some of it failed or some nodes did not answer; they are named on stderr"
    case .usage: "the command line is wrong: an option, a name, a combination"
    case .data: "a body cannot be decoded or is too large"
    case .noInput: "an input file is missing or cannot be read"
    case .noUser: "no such actor, kind or dead letter"
    case .noHost: "no such node"
    case .unavailable: "no endpoint answers, or a node or stream was lost"
    case .software: "a bug in gridctl"
    case .cannotCreate: "the name is taken"
    case .inputOutput: "local input or output failed"
    case .temporaryFailure: "mailbox full or node busy: trying again later is sensible"
    case .protocolMismatch: "another protocol version or namespace answers there"
    case .noPermission: "refused: permission, or an unsafe setting"
    case .configuration: "a configuration value is wrong"
    case .deadline: "the time-out passed"
    case .interrupted: "ended by Ctrl-C"
    case .brokenPipe: "the reader of the output went away"
    case .terminated: "ended by SIGTERM"
    }
  }
}
