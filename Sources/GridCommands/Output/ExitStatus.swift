internal import GridCore
package import GridSystem

/// The exit codes of the command line, and the only place that maps errors to them.
package enum ExitStatus: Int32, CaseIterable, Sendable {
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

  /// The exit code that tells a script of an error; a code of a newer node that is not in the table is `failed`.
  init(_ code: GridError.Code) { self = Self.statuses[code] ?? .failed }

  /// Every error code with its exit code.
  ///
  /// `stopped` is 67, not 75: the actor is gone, and sending again finds nobody until somebody spawns it.
  static let statuses: [GridError.Code: ExitStatus] = [
    .handlerFailed: .failed, .failed: .failed, .partial: .partial, .usage: .usage, .undecodable: .data,
    .noInput: .noInput, .noSuchActor: .noUser, .noSuchKind: .noUser, .notFound: .noUser, .stopped: .noUser,
    .noSuchNode: .noHost, .unavailable: .unavailable, .nodeLost: .unavailable, .leaseLost: .unavailable,
    .software: .software, .nameTaken: .cannotCreate, .inputOutput: .inputOutput, .mailboxFull: .temporaryFailure,
    .retryLater: .temporaryFailure, .protocolMismatch: .protocolMismatch, .refused: .noPermission,
    .configuration: .configuration, .deadline: .deadline, .cancelled: .interrupted, .brokenPipe: .brokenPipe,
    .notServing: .temporaryFailure,
  ]

  /// The exit code for a program that ended so: its own, or 128 and the number of the signal that ended it.
  package static func code(of status: ProcessExitStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signalled(let number): 128 + number
    case .lost: software.rawValue
    }
  }

  /// The name in documentation; where `sysexits.h` has one, that one.
  var label: String {
    switch self {
    case .ok: "ok"
    case .failed: "failed"
    case .negative: "negative"
    case .partial: "partial"
    case .usage: "usage"
    case .data: "data"
    case .noInput: "noinput"
    case .noUser: "nouser"
    case .noHost: "nohost"
    case .unavailable: "unavailable"
    case .software: "software"
    case .cannotCreate: "cantcreat"
    case .inputOutput: "ioerr"
    case .temporaryFailure: "tempfail"
    case .protocolMismatch: "protocol"
    case .noPermission: "noperm"
    case .configuration: "config"
    case .deadline: "deadline"
    case .interrupted: "interrupted"
    case .brokenPipe: "pipe"
    case .terminated: "terminated"
    }
  }

  /// What the code means, for `gridctl exit-codes` and the man page.
  var meaning: String {
    switch self {
    case .ok: "done; an empty list is ok"
    case .failed: "the handler answered with an error, or a failure without a better code"
    case .negative: "the answer is no"
    case .partial: "some of it failed or some nodes did not answer; they are named on stderr"
    case .usage: "the command line is wrong: an option, a name, a combination"
    case .data: "a body cannot be decoded or is too large"
    case .noInput: "an input file is missing or cannot be read"
    case .noUser: "no such actor, kind or dead letter, or the actor has stopped"
    case .noHost: "no such node"
    case .unavailable: "no endpoint answers, or a node or stream was lost"
    case .software: "a bug in gridctl"
    case .cannotCreate: "the name is taken"
    case .inputOutput: "local input or output failed"
    case .temporaryFailure: "mailbox full, node busy or leaving: trying again later is sensible"
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
