internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSystem

/// One message of a command to an actor. When the time runs out, the error says what the actor is busy with.
struct MessageExchange {
  let session: CommandSession
  let target: String

  /// How long the look at an actor that did not answer may take.
  private static let patience: Duration = .milliseconds(500)

  /// Returns when the message is in the mailbox.
  func tell(_ message: Message) async throws(GridError) {
    try await explaining { () throws(GridError) in
      try await session.connection.tell(target, message, timeout: session.timeout)
    }
  }

  /// Returns the reply.
  func ask(_ message: Message) async throws(GridError) -> Message {
    try await explaining { () throws(GridError) in
      try await session.connection.ask(target, message, timeout: session.timeout)
    }
  }

  private func explaining<Value>(
    _ body: () async throws(GridError) -> Value
  ) async throws(GridError) -> Value {
    let clock = SystemClock()
    let began = clock.now()
    do throws(GridError) {
      return try await body()
    } catch {
      // A deadline before ours is the actor's own, and has its own words.
      guard error.code == .deadline, clock.now() - began >= session.timeout else { throw error }
      throw GridError(
        .deadline, "\(target) did not answer within \(HumanText.duration(session.timeout))",
        hint: await hint(), cause: error.cause)
    }
  }

  private func hint() async -> String {
    let advice = "wait longer with --timeout, or see: gridctl inspect \(target)"
    let answer = try? await session.connection.ask(InspectRequest(target), timeout: Self.patience)
    guard let actor = answer else { return advice }
    let place = "it runs on \(actor.node), with \(CountText.of(actor.mailbox, "message")) in its mailbox"
    let isProgram = actor.isProgram
    let buffering = "a program that buffers its output never answers: python3 -u, stdbuf -oL, sed -u"
    return [place, isProgram ? buffering : nil, advice].compactMap { $0 }.joined(separator: "\n")
  }
}
