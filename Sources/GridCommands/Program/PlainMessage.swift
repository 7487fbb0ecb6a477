internal import GridCore

/// `tell ACTOR [TEXT]` and `ask ACTOR [TEXT]` without any option, as scripts run them by the thousand.
///
/// To ask the argument parser takes longer than all the rest of such a line: the runtime looks for conformances of some
/// fifty types among the twelve thousand of the binary. Words that do not begin with `-` need none of what it knows.
/// Everything else is the parser's, and both ways meet in ``TellCommand`` and ``AskCommand``.
struct PlainMessage {
  private enum Verb: String {
    case tell, ask
  }

  private let verb: Verb
  private let actor: ActorArgument
  private let payload: String?

  /// Nil when the parser has to look at the line.
  init?(_ arguments: [String]) {
    guard (2...3).contains(arguments.count), let verb = Verb(rawValue: arguments[0]),
      !arguments.contains(where: { $0.hasPrefix("-") })
    else { return nil }
    self.verb = verb
    actor = ActorArgument(argument: arguments[1])
    payload = arguments.count == 3 ? arguments[2] : nil
  }

  func run() async throws {
    let target = try actor.validated()
    let message = Payload.message(try Payload.read(payload), type: "", headers: [])
    let session = try await CommandSession(Settings(SettingFlags(), environment: Settings.variables))
    switch verb {
    case .tell: try await MessageExchange(session: session, target: target).tell(message)
    case .ask: try await AskCommand.ask(target, message, session)
    }
  }
}
