internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem

/// Sends a broadcast and prints what becomes of it.
struct BroadcastTeller {
  let session: CommandSession
  let options: BroadcastOptions
  /// Whether replies are waited for, and not only room in the mailboxes.
  let asksForReplies: Bool

  static let description = ListDescription<JSONValue>(
    kind: "BroadcastReplyList", noun: "actor", nameField: "actor",
    columns: [
      Column("ACTOR", fit: .middle(12), priority: ColumnPriority.name, streamWidth: 16, field: "actor"),
      .duration("RTT", seconds: "rttSeconds"), Column("REPLY", priority: ColumnPriority.important, field: "reply"),
    ])

  func run(_ message: Message, _ addresses: [String]) async throws {
    if !isDocument, !showsBodyAlone { try session.renderer.streamHeader(Self.description) }
    let progress = Progress(
      "replies", clock: session.cluster.timers, writer: session.writer, isSilent: session.settings.isQuiet)
    // Also where it breaks off; before the document in any case.
    defer { progress.finish() }
    var isFirst = true
    let run = BroadcastRun(options, timers: session.cluster.timers)
    let result = try await run(
      addresses,
      told: { reply throws(GridError) in
        progress.advance()
        let isRival = options.endsWithFirst && reply.isSuccess && !isFirst
        if reply.isSuccess { isFirst = false }
        if !isRival { try show(reply) }
      },
      ask: { [session, asksForReplies, timeout = options.timeout] address throws(GridError) in
        if asksForReplies { return try await session.connection.ask(address, message, timeout: timeout) }
        try await session.connection.tell(address, message, timeout: timeout)
        return Message("")
      })
    progress.finish()
    if isDocument { try showDocument(result) }
    try end(result)
  }

  private var isDocument: Bool {
    switch session.renderer.format {
    case .json, .yaml, .jsonPath: true
    default: false
    }
  }

  /// The one reply of a race is what people and scripts want, and nothing around it.
  private var showsBodyAlone: Bool {
    switch session.renderer.format {
    case .table, .wide, .tsv: options.endsWithFirst
    default: false
    }
  }

  /// Whether a failure is a record of the output, and no line on standard error.
  private var recordsFailures: Bool { session.renderer.format.isJSON }

  private func show(_ reply: BroadcastReply) throws(GridError) {
    switch reply.result {
    case .success(let message):
      if isDocument { return }
      if showsBodyAlone {
        session.renderer.note(record(reply, message))
        return try session.writer.foreign(message.body.last == 0x0A ? message.body : message.body + [0x0A])
      }
      try session.renderer.record(record(reply, message), Self.description)
    case .failure(let error):
      // Who has lost a race did nothing wrong.
      if error.code == .cancelled { return }
      if !recordsFailures {
        let isNamed = error.message.contains(reply.address)
        session.writer.warning(
          HumanText.excerpt(isNamed ? "\(error)" : "\(reply.address): \(error)", Self.longestWarning))
      } else if !isDocument {
        try session.renderer.record(Self.record(reply, error), Self.description)
      }
    }
  }

  /// Errors come from handlers: more than this of one is not printed for people.
  private static let longestWarning = 2000

  private func record(_ reply: BroadcastReply, _ message: Message) -> JSONValue {
    let place: [String: JSONValue] = [
      "actor": .string(reply.address), "attempts": .integer(Int64(reply.attempts)),
      "rttSeconds": .number(reply.elapsed.inSeconds),
    ]
    return .object(asksForReplies ? place.merging(AskReply.members(message)) { own, _ in own } : place)
  }

  private static func record(_ reply: BroadcastReply, _ error: GridError) -> JSONValue {
    [
      "actor": .string(reply.address), "attempts": .integer(Int64(reply.attempts)),
      "error": ErrorReport(error: error, target: reply.address).body,
    ]
  }

  private func showDocument(_ result: BroadcastResult) throws(GridError) {
    let items = result.members.compactMap { reply in (try? reply.result.get()).map { record(reply, $0) } }
    let document: JSONValue = [
      "items": .array(items), "failures": .array(Self.failures(result)), "asked": .integer(Int64(result.members.count)),
      "required": .integer(Int64(result.required)),
    ]
    try session.renderer.object(document, kind: Self.description.kind, noun: "actor", result: .array(items))
  }

  /// Those that failed, without those that another one was faster than.
  private static func failures(_ result: BroadcastResult) -> [JSONValue] {
    result.members.compactMap { reply in
      guard case .failure(let error) = reply.result, error.code != .cancelled else { return nil }
      return ErrorReport(error: error, target: reply.address).body
    }
  }

  // MARK: The end

  /// - Throws: ``ToldError`` when too few have replied: it is on standard error then.
  private func end(_ result: BroadcastResult) throws {
    guard let error = Self.ending(result) else { return }
    ErrorReport(error: error, failures: Self.failures(result))
      .write(format: session.renderer.format, color: session.settings.color, to: session.writer)
    throw ToldError(error: error)
  }

  /// How a broadcast ends; nil when as many have replied as were to. When nobody has, and all for the same reason, it
  /// ends with that.
  static func ending(_ result: BroadcastResult) -> GridError? {
    if result.isComplete { return nil }
    let replied = result.replies.count
    let asked = result.members.count
    let codes = Set(result.failures.values.map(\.code))
    if replied == 0, codes.count == 1, let code = codes.first {
      let message = asked == 1 ? "the actor gave no reply" : "none of \(asked) actors gave a reply"
      return GridError(code, message, hint: hint(code))
    }
    return GridError(
      .partial, "\(replied) of \(CountText.of(asked, "actor")) replied, where \(result.required) had to",
      hint: result.required > asked
        ? "there are no more of them; see: gridctl actors"
        : "ask those that failed again with --retry, or be content with fewer: --require quorum")
  }

  private static func hint(_ code: GridError.Code) -> String? {
    code == .deadline ? "wait longer with --timeout; actors that never reply take it with --no-reply" : nil
  }
}
