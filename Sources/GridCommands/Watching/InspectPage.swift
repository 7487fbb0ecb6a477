internal import GridClient
internal import GridCore
internal import GridRequests

/// One actor for people: how it is first, then how its mail is, what it is, what went wrong last, what happened to it.
struct InspectPage {
  /// What `inspect` answers.
  let actor: JSONValue
  /// Its latest events, oldest first.
  var events: [JSONValue] = []
  var now = CalendarTime(millisecondsSince1970: 0)

  /// How many events are told.
  static let eventCount = 5

  /// The lines.
  ///
  /// - Parameter width: terminal cells of a line; nil for no limit.
  func text(width: Int?, usesColor: Bool) -> String {
    KeyValueLayout(limit: width, usesColor: usesColor).text(members)
  }

  private typealias Member = (key: String, value: String, style: TextStyle)

  private var members: [Member] {
    var members: [Member] = [
      ("name", text("name"), .plain), ("state", state, stateStyle), ("in hand", inHand, .plain),
      ("waiting", waiting, .plain), ("handled", handled, .plain),
    ]
    if let handling { members.append(("handling", handling, .plain)) }
    members.append(("kind", text("kind"), .plain))
    members += program
    members += failure
    for (index, event) in events.enumerated() {
      members.append((index == 0 ? "events" : "", Self.line(event, now: now), .plain))
    }
    members.append(("epoch", text("epoch"), .plain))
    return members
  }

  // MARK: How it is

  private var state: String {
    "\(text("status")) on \(text("node")), for \(HumanText.duration(Column.number(actor, "uptimeSeconds")))"
  }

  private var stateStyle: TextStyle { TextStyle.status(actor) == .good ? .plain : TextStyle.status(actor) }

  private var inHand: String {
    guard integer("inHand") > 0 else { return "nothing" }
    return "a message, for \(HumanText.duration(Column.number(actor, "inHandSeconds")))"
  }

  private var waiting: String {
    let count = max(0, integer("mailbox") - integer("inHand"))
    var text = count == 0 ? "nothing" : CountText.of(count, "message")
    if let age = Column.number(actor, "oldestSeconds") { text += ", the oldest for \(HumanText.duration(age))" }
    guard let capacity = Column.integer(actor, "mailboxCapacity") else { return text }
    return text + "; of \(CountText.grouped(capacity)), then \(self.text("overflow"))"
  }

  private var handled: String {
    [
      CountText.of(integer("processed"), "message"), CountText.of(integer("failures"), "failure"),
      CountText.of(integer("restarts"), "restart"),
    ].joined(separator: ", ")
  }

  private var handling: String? {
    guard let half = Column.number(actor, "handlerP50Seconds"), let most = Column.number(actor, "handlerP99Seconds")
    else {
      return nil
    }
    return "p50 \(HumanText.duration(half)), p99 \(HumanText.duration(most)), of the latest"
  }

  // MARK: What it is

  private var program: [Member] {
    guard let exec = Column.member(actor, "exec") else { return [] }
    let words = Column.texts(exec, "command")
    var facts: [String] = []
    if let process = Column.integer(actor, "pid") { facts.append("pid \(process)") }
    facts.append(Column.isTrue(exec, "oneWay") ? "one way" : "framing \(Column.text(exec, "framing"))")
    if let seconds = Column.number(exec, "handlerTimeoutSeconds") {
      facts.append("at most \(HumanText.duration(seconds)) a message")
    }
    if let count = Column.integer(exec, "maximumRestarts"),
      let window = Column.number(exec, "restartWindowSeconds")
    {
      facts.append("\(count) restarts within \(HumanText.duration(window))")
    }
    if Column.member(exec, "workingDirectory")?.stringValue != nil {
      facts.append("in \(Column.text(exec, "workingDirectory"))")
    }
    let limits = confinement(of: exec)
    return [
      ("command", ShellQuoting.line(words), .plain), ("program", facts.joined(separator: ", "), .plain),
    ] + (limits.isEmpty ? [] : [("confined", limits.joined(separator: ", "), .plain)])
  }

  /// Whose rights a program has and what it may use, where somebody has said so.
  private func confinement(of exec: JSONValue) -> [String] {
    var facts: [String] = []
    if let user = Column.member(exec, "user")?.stringValue { facts.append("user \(user)") }
    for (name, limit) in (Column.member(exec, "limits")?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
      let values = ["soft", "hard"].map { Column.integer(limit, $0).map { String($0) } ?? "unlimited" }
      facts.append("\(name) \(values[0] == values[1] ? values[0] : values.joined(separator: ":"))")
    }
    if let cgroup = Column.member(exec, "cgroup")?.stringValue { facts.append("control group \(cgroup)") }
    return facts
  }

  /// The last failure, its further lines below it.
  private var failure: [Member] {
    guard let failure = Column.member(actor, "lastFailure")?.stringValue else { return [] }
    return failure.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
      (index == 0 ? "last failure" : "", String(line), .caution)
    }
  }

  private static func line(_ event: JSONValue, now: CalendarTime) -> String {
    let time = Column.integer(event, "atMilliseconds").map {
      HumanText.relative(CalendarTime(millisecondsSince1970: $0), to: now)
    }
    return "\(time ?? "-"): \(Column.text(event, "detail"))"
  }

  private func text(_ field: String) -> String { Column.text(actor, field) }

  private func integer(_ field: String) -> Int64 { Column.whole(actor, field) }
}

extension InspectPage {
  /// How long events are waited for: they are the least of it.
  private static let patience = Duration.seconds(1)

  /// Asks for all that a page tells.
  static func of(_ name: String, _ session: CommandSession, now: CalendarTime) async throws(GridError) -> InspectPage {
    let actor = try await session.json(InspectRequest(name))
    return InspectPage(actor: actor, events: await latestEvents(name, session), now: now)
  }

  /// The page of an actor, or why there is none.
  static func text(_ name: String, _ session: CommandSession, now: CalendarTime) async -> String {
    do throws(GridError) {
      return try await of(name, session, now: now).text(
        width: session.writer.outputWidth, usesColor: session.renderer.usesColor)
    } catch {
      return ErrorReport(error: error).lines(usesColor: session.renderer.usesColor).joined(separator: "\n") + "\n"
    }
  }

  static func latestEvents(_ name: String, _ session: CommandSession) async -> [JSONValue] {
    let request = EventsRequest(
      EventChoice(kinds: [GridEvent.Kind.actor.rawValue], name: name), since: CalendarTime(millisecondsSince1970: 0))
    // What does not come in time is missing: the page is not held up for it.
    let events = try? await session.connection.list(request, timeout: patience)
    return (events?.elements ?? []).suffix(eventCount)
  }
}
