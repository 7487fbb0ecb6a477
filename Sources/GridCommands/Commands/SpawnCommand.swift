internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl spawn`
struct SpawnCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "spawn", _superCommandName: "gridctl",
    abstract: "Make an actor.",
    usage: """
      gridctl spawn KIND [NAME] [--on NODE | --each-node] [--arg PAYLOAD] [--if-absent] [options]
      gridctl spawn exec NAME [--framing lines|json] [--one-way] [options] -- COMMAND [ARGUMENT...]
      """,
    discussion: """
      The name is unique in the namespace; without one a name is made and printed.

      Examples:
        gridctl spawn counter hits
        gridctl spawn exec calc --on n2 -- bc -l
        gridctl spawn exec words --one-way --restart 3/10s -- ./count-words.sh
        gridctl spawn exec thumbs --user nobody --rlimit memory=512MiB -- thumbs.py
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "What to make it from; see: gridctl kinds")
  var kind: String
  @Argument(help: "Its name.")
  var name: String?
  @Option(help: ArgumentHelp("The node to run on.", valueName: "node"))
  var on: String?
  @Flag(help: "One on every node, named NAME-NODE.")
  var eachNode = false
  @Option(help: ArgumentHelp("What the kind is given: text, - or @FILE.", valueName: "payload"))
  var arg: String?
  @Flag(help: "An actor of that name that runs already is fine.")
  var ifAbsent = false
  @Option(help: ArgumentHelp("Messages its mailbox holds (default: 10000).", valueName: "count"))
  var mailbox: Int?
  @Option(
    help: ArgumentHelp("When the mailbox is full: reject, drop-oldest, drop-newest or block.", valueName: "policy"))
  var overflow: String?
  @Option(help: ArgumentHelp("exec: lines or json.", valueName: "framing"))
  var framing: String?
  @Flag(help: "exec: the program never answers.")
  var oneWay = false
  @Option(help: ArgumentHelp("exec: how long one message may take (default: 60s).", valueName: "duration"))
  var handlerTimeout: String?
  @Option(help: ArgumentHelp("exec: restarts allowed in a time, as 5/60s, or never.", valueName: "count/duration"))
  var restart: String?
  @Option(help: ArgumentHelp("exec: a variable for the program; may be repeated.", valueName: "key=value"))
  var env: [KeyValueArgument] = []
  @Option(help: ArgumentHelp("exec: the directory it runs in.", valueName: "directory"))
  var workingDirectory: String?
  @Option(help: ArgumentHelp("exec: the user it runs as; the node must be root's.", valueName: "name"))
  var user: String?
  @Option(
    help: ArgumentHelp(
      "exec: a limit of its processes: nofile, nproc, as (memory), cpu, fsize, core; may be repeated.",
      valueName: "name=soft[:hard]"), transform: LimitArgument.init(parsing:))
  var rlimit: [LimitArgument] = []
  @Option(help: ArgumentHelp("exec: the control group (version 2) it is moved to.", valueName: "directory"))
  var cgroup: String?
  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("exec: the program and its arguments, after --.", valueName: "command")
  )
  var command: [String] = []

  /// The name of an actor whose node died is free when that node's lease has ended.
  private static let patience = Duration.seconds(10)

  func run() async throws {
    let request = try makeRequest()
    let session = try await CommandSession(global)
    guard eachNode else {
      return try show(try await session.json(request, patience: Self.patience), session)
    }
    try await spawnEach(request, session)
  }

  /// One on every node; in formats that are one document, one list of all.
  private func spawnEach(_ request: SpawnRequest, _ session: CommandSession) async throws {
    let peers = try await session.items(PeersRequest()).items()
    var failures: [JSONValue] = []
    var spawned: [JSONValue] = []
    for node in peers.filter({ $0.status == .alive }).map(\.name) {
      var placed = request
      placed.node = node
      placed.name = name.map { "\($0)-\(node)" }
      do {
        let answer = try await session.json(placed, patience: Self.patience)
        if session.renderer.format.isDocument { spawned.append(answer) } else { try show(answer, session) }
      } catch let error as GridError where error.code != .brokenPipe {
        failures.append(ErrorReport(error: error, target: placed.name, node: node).body)
        session.writer.warning("\(node): \(error.message)")
      }
    }
    if session.renderer.format.isDocument {
      try session.renderer.object(
        ["items": .array(spawned), "failures": .array(failures)], kind: "ActorList", noun: "actor")
    }
    if !failures.isEmpty { throw ExitCode(ExitStatus.partial.rawValue) }
  }

  private func show(_ answer: JSONValue, _ session: CommandSession) throws {
    switch session.renderer.format {
    case .table:
      session.renderer.note(answer)
      let actor = try ActorReport(json: answer)
      try session.writer.foreign("\(actor.name) runs on \(actor.node)\n")
    default: try session.renderer.object(answer, kind: "Actor", noun: "actor")
    }
  }

  private func makeRequest() throws -> SpawnRequest {
    if let name { try NameRules.validated(name, as: "actor") }
    if kind == "exec", name == nil {
      throw GridError(.usage, "kind exec needs a name", hint: "gridctl spawn exec NAME -- COMMAND")
    }
    guard !(eachNode && on != nil) else { throw GridError(.usage, "--on and --each-node exclude each other") }
    var request = SpawnRequest(kind: kind, name: name, node: on, ifAbsent: ifAbsent)
    if let arg { request.argument = Payload.message(try Payload.read(arg, options: global), type: "", headers: []) }
    request.mailbox = try mailboxOptions()
    let isConfined = user != nil || !rlimit.isEmpty || cgroup != nil
    let isForProgram =
      framing != nil || oneWay || handlerTimeout != nil || restart != nil || workingDirectory != nil || isConfined
    if kind == "exec" {
      guard arg == nil else {
        throw GridError(.usage, "kind exec takes no --arg", hint: "arguments follow the program, after --")
      }
      request.command = try execSpecification()
    } else if !command.isEmpty || !env.isEmpty || isForProgram {
      throw GridError(.usage, "kind \(kind) takes no command", hint: "only kind exec runs a program")
    }
    return request
  }

  private func mailboxOptions() throws(GridError) -> MailboxOptions? {
    guard mailbox != nil || overflow != nil else { return nil }
    guard let policy = OverflowPolicy(rawValue: overflow ?? "reject") else {
      throw GridError(
        .usage, "unknown overflow policy \(NameRules.quoted(overflow ?? ""))",
        hint: OverflowPolicy.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return try MailboxOptions(capacity: mailbox ?? MailboxOptions.standard.capacity, overflow: policy).validated()
  }

  private func execSpecification() throws -> ExecSpecification {
    guard let program = command.first, !program.isEmpty else {
      throw GridError(.usage, "kind exec needs a command", hint: "gridctl spawn exec NAME -- COMMAND [ARGUMENT...]")
    }
    guard let framing = ExecSpecification.Framing(rawValue: framing ?? "lines") else {
      throw GridError(.usage, "unknown framing \(NameRules.quoted(self.framing ?? ""))", hint: "lines or json")
    }
    var specification = ExecSpecification(
      command: command, framing: framing, oneWay: oneWay,
      handlerTimeout: try handlerTimeout.map { try Duration.argument($0) } ?? .seconds(60),
      restart: try restart.map { text throws(GridError) in try RestartPolicy(parsing: text) } ?? .standard,
      environment: Dictionary(env.map { ($0.key, $0.value) }) { _, last in last },
      // Programs are found and run as if typed here, which on this machine is what is meant.
      workingDirectory: try workingDirectory ?? WorkingDirectory.path())
    specification.confinement = try ProgramConfinement(user: user, limits: rlimit, cgroup: cgroup)
    return specification
  }
}
