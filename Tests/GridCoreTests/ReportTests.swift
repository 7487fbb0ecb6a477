internal import GridCore
internal import Testing

/// What is written to the store, the wire and standard output comes back as it was; what is missing is an error.
@Suite struct ReportTests {
  /// Through bytes, as a peer gets it.
  private func again(_ value: JSONValue) throws -> JSONValue { try JSONValue(parsing: value.serialized()) }

  private let node = NodeRecord(
    name: "n1", address: "127.0.0.1:4743", incarnation: 42, version: "0.1.0", labels: ["zone": "a", "": "\n"],
    kinds: ["counter", "echo"], startedAt: CalendarTime(millisecondsSince1970: -5))

  @Test func `records come back`() throws {
    #expect(try NodeRecord(json: again(node.json)) == node)
    let actor = ActorRecord(name: "calc", kind: "exec", node: "n2", incarnation: .max)
    #expect(try ActorRecord(json: again(actor.json)) == actor)
  }

  @Test func `a peer report comes back`() throws {
    var report = PeerReport(record: node, status: .suspect, isSelf: true)
    // When a node joined is no part of the report.
    report.actors = 7
    report.mailbox = 0
    report.uptimeSeconds = 1.5
    report.roundTripSeconds = 0.000_033
    #expect(try PeerReport(json: again(report.json)) == report)
    let silent = PeerReport(record: node, status: .dead, isSelf: false)
    #expect(silent.json["actors"] == .null)
    #expect(try PeerReport(json: again(silent.json)) == silent)
  }

  @Test(arguments: ActorReport.Status.allCases)
  func `an actor report comes back, details and all`(_ status: ActorReport.Status) throws {
    let report = ActorReport(
      name: "calc", kind: "exec", node: "n1", status: status, mailbox: 1, processed: 2, failures: 3, restarts: 4,
      uptimeSeconds: 5.5, epoch: 6, details: ["exec": ["command": ["bc", "-l"]], "lastFailure": nil])
    #expect(try ActorReport(json: again(report.json)) == report)
  }

  @Test func `a detail never hides a field`() {
    let report = ActorReport(name: "a", kind: "k", node: "n", status: .running, details: ["name": "other"])
    #expect(report.json["name"] == "a")
  }

  @Test(arguments: DeadLetter.Reason.allCases)
  func `a dead letter comes back`(_ reason: DeadLetter.Reason) throws {
    let letter = DeadLetter(
      identifier: "01ARYZ6S41", at: CalendarTime(millisecondsSince1970: 12), reason: reason, target: "t", sender: "s",
      node: "n",
      message: Message(
        body: Array("héllo".utf8), contentType: .other("text/csv"), type: "Order",
        headers: [
          .init("a", "1"), .init("a", "2"), .init("", ""),
        ]), count: 3, detail: "why", replayedAs: "01B")
    #expect(try DeadLetter(json: again(letter.json)) == letter)
    #expect(letter.json["bodyEncoding"] == "utf8")
    #expect(letter.json["body"] == "héllo")
  }

  @Test(arguments: [[0xFF, 0xFE], [0x61, 0x00], [0xC3], []] as [[UInt8]])
  func `a body that is no text is written in base 64`(_ body: [UInt8]) throws {
    let letter = DeadLetter(
      identifier: "1", at: CalendarTime(millisecondsSince1970: 0), reason: .stopped, target: "t", sender: "", node: "n",
      message: Message(body: body))
    #expect(letter.json["bodyEncoding"] == (body.isEmpty ? "utf8" : "base64"))
    #expect(letter.json["replayedAs"] == .null)
    #expect(try DeadLetter(json: again(letter.json)) == letter)
  }

  @Test func `a spawn request comes back`() throws {
    let plain = SpawnRequest(kind: "echo")
    #expect(try SpawnRequest(json: again(plain.json)) == plain)
    var full = SpawnRequest(
      kind: "exec", name: "calc", node: "n2",
      argument: Message(body: [0, 255], contentType: .json), ifAbsent: true,
      mailbox: MailboxOptions(capacity: 7, overflow: .dropOldest),
      command: ExecSpecification(
        command: ["bc", "-l", ""], framing: .json, oneWay: true, handlerTimeout: .milliseconds(1500),
        restart: RestartPolicy(maximumRestarts: 2, window: .seconds(30)), environment: ["A": "1"],
        workingDirectory: "/tmp"))
    full.command?.confinement = ProgramConfinement(
      user: "nobody", limits: [.openFiles: try .init(soft: 3, hard: nil), .memory: try .init(soft: nil, hard: nil)],
      cgroup: "/sys/fs/cgroup/x")
    #expect(try SpawnRequest(json: again(full.json)) == full)
  }

  @Test(arguments: [
    #"{"user":7}"#, #"{"user":""}"#, #"{"user":"a\u0000b"}"#, #"{"cgroup":"here"}"#, #"{"cgroup":[]}"#,
    #"{"limits":[]}"#, #"{"limits":{"files":{"soft":1,"hard":1}}}"#, #"{"limits":{"nofile":7}}"#,
    #"{"limits":{"nofile":{"soft":1}}}"#, #"{"limits":{"nofile":{"soft":"1","hard":2}}}"#,
    #"{"limits":{"nofile":{"soft":2,"hard":1}}}"#, #"{"limits":{"nofile":{"soft":-1,"hard":1}}}"#,
    #"{"limits":{"nofile":{"soft":null,"hard":1}}}"#,
  ])
  func `a program that was to be confined never runs free for a slip`(_ text: String) throws {
    let json = try JSONValue(parsing: text).with("command", ["cat"])
    #expect(throws: GridError.self) { try ExecSpecification(json: json) }
  }

  @Test(arguments: OverflowPolicy.allCases)
  func `each overflow policy comes back`(_ policy: OverflowPolicy) throws {
    let request = SpawnRequest(kind: "echo", mailbox: MailboxOptions(capacity: 1, overflow: policy))
    #expect(try SpawnRequest(json: again(request.json)).mailbox?.overflow == policy)
  }

  // MARK: What a peer may get wrong

  @Test(arguments: [
    "null", "[]", "{}", "1", "\"x\"", #"{"name":1,"address":2,"incarnation":3,"node":4,"kind":5,"id":6,"seq":"7"}"#,
    #"{"name":"n"}"#,
  ])
  func `what lacks a needed field is refused`(_ text: String) throws {
    let json = try JSONValue(parsing: text)
    #expect(throws: GridError(.undecodable, "")) { try NodeRecord(json: json) }
    #expect(throws: GridError(.undecodable, "")) { try ActorRecord(json: json) }
    #expect(throws: GridError(.undecodable, "")) { try PeerReport(json: json) }
    #expect(throws: GridError(.undecodable, "")) { try DeadLetter(json: json) }
    #expect(throws: GridError(.undecodable, "")) { try GridEvent(json: json) }
    #expect(throws: GridError(.undecodable, "")) { try SpawnRequest(json: json) }
    #expect(throws: GridError(.usage, "")) { try ExecSpecification(json: json) }
  }

  @Test(arguments: [
    (#"{"kind":"echo","mailbox":0}"#, GridError.Code.usage),
    (#"{"kind":"echo","mailbox":-9223372036854775808}"#, .usage),
    (#"{"kind":"echo","mailbox":5,"overflow":"explode"}"#, .usage),
    (#"{"kind":"echo","argument":"%%%"}"#, .undecodable), (#"{"kind":"exec","command":{}}"#, .usage),
    (#"{"kind":"exec","command":{"command":[""]}}"#, .usage), (#"{"kind":"exec","command":{"command":[1,2]}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"framing":"xml"}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"handlerTimeoutSeconds":-1}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"handlerTimeoutSeconds":0}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"handlerTimeoutSeconds":1e300}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"handlerTimeoutSeconds":1e-300}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x",1,"y"]}}"#, .usage),
    (#"{"kind":"exec","command":{"command":["x"],"restartWindowSeconds":-0.0}}"#, .usage),
  ])
  func `a wrong value in a spawn request is refused`(_ text: String, _ code: GridError.Code) throws {
    let json = try JSONValue(parsing: text)
    #expect(throws: GridError(code, "")) { try SpawnRequest(json: json) }
  }

  @Test func `a body that is no base 64 is refused`() throws {
    let json = try JSONValue(parsing: #"{"id":"1","reason":"stopped","body":"%%","bodyEncoding":"base64"}"#)
    #expect(throws: GridError(.undecodable, "")) { try DeadLetter(json: json) }
  }
}

@Suite struct MessageTests {
  @Test(arguments: [
    ContentType.bytes, .text, .json, .other("image/png"),
  ])
  func `a content type comes back by its name`(_ type: ContentType) {
    #expect(ContentType(name: type.name) == type)
  }

  @Test func `no content type means bytes`() {
    #expect(ContentType(name: "") == .bytes)
  }

  @Test func `a message knows its text, its JSON and its cost`() throws {
    #expect(Message("hé").text == "hé")
    #expect(Message(body: [0x61, 0xFF]).text == "a\u{FFFD}")
    #expect(try Message(json: ["a": 1]).json() == ["a": 1])
    #expect(throws: GridError(.undecodable, "")) { try Message("{").json() }
    #expect(Message(body: [1, 2, 3]).cost == 67)
    #expect(Message.maximumBodyBytes + 64 * 1024 == 16 * 1024 * 1024)
  }
}

@Suite struct GridErrorTests {
  @Test func `every code is known by its label, once`() {
    #expect(Set(GridError.Code.all.map(\.label)).count == GridError.Code.all.count)
    for code in GridError.Code.all { #expect(GridError.Code.named(code.label) == code) }
    #expect(GridError.Code.named("of-a-newer-peer") == .failed)
  }

  @Test func `errors are equal when their codes are`() {
    #expect(GridError(.deadline, "a") == GridError(.deadline, "b", hint: "c"))
    #expect(GridError(.deadline, "a") != GridError(.stopped, "a"))
  }

  @Test func `the description has the cause`() {
    #expect(GridError(.failed, "it broke").description == "it broke")
    #expect(GridError(.failed, "it broke", cause: "a bolt").description == "it broke (a bolt)")
  }

  private struct Other: Error {}

  @Test func `wrapping keeps a known error and names an unknown one`() {
    let known = GridError(.mailboxFull, "full")
    #expect(GridError.wrapping(known, as: .failed, "x").message == "full")
    #expect(GridError.wrapping(CancellationError(), as: .failed, "x").code == .cancelled)
    let wrapped = GridError.wrapping(Other(), as: .unavailable, "x")
    #expect(wrapped.code == .unavailable && wrapped.cause == "Other()")
  }
}
