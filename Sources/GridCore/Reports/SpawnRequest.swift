/// What `spawn` asks a node for.
public struct SpawnRequest: Sendable, Equatable {
  public var kind: String
  /// nil lets the node make a unique name.
  public var name: String?
  /// The node to run on; nil lets the cluster choose.
  public var node: String?
  /// What the kind's factory gets (`--arg`); JSON or text, as the kind reads it.
  public var argument: Message?
  /// Whether an actor of that name that runs already is a success.
  public var ifAbsent: Bool
  public var mailbox: MailboxOptions?
  /// Set for kind `exec`.
  public var command: ExecSpecification? {
    get { program?.specification }
    set { program = newValue.map(Program.init) }
  }
  /// Out of the way: each actor keeps what it was made from, and few have a command.
  private var program: Program?

  private final class Program: Sendable, Equatable {
    let specification: ExecSpecification

    init(_ specification: ExecSpecification) { self.specification = specification }

    static func == (left: Program, right: Program) -> Bool { left.specification == right.specification }
  }

  public init(
    kind: String, name: String? = nil, node: String? = nil, argument: Message? = nil, ifAbsent: Bool = false,
    mailbox: MailboxOptions? = nil, command: ExecSpecification? = nil
  ) {
    self.kind = kind
    self.name = name
    self.node = node
    self.argument = argument
    self.ifAbsent = ifAbsent
    self.mailbox = mailbox
    program = command.map(Program.init)
  }

  package var json: JSONValue {
    var members: [String: JSONValue] = ["kind": .string(kind), "ifAbsent": .bool(ifAbsent)]
    members["name"] = name.map { .string($0) }
    members["node"] = node.map { .string($0) }
    members["command"] = command?.json
    if let argument {
      members["argument"] = .string(Base64.encoded(argument.body))
      members["argumentType"] = .string(argument.contentType.name)
    }
    if let mailbox {
      members["mailbox"] = .integer(Int64(mailbox.capacity))
      members["overflow"] = .string(mailbox.overflow.rawValue)
    }
    return .object(members)
  }

  /// - Throws: ``GridError/Code/usage`` or ``GridError/Code/undecodable`` when a field is missing or wrong.
  package init(json: JSONValue) throws(GridError) {
    guard let kind = json["kind"]?.stringValue else { throw GridError(.undecodable, "a spawn request lacks its kind") }
    self.init(
      kind: kind, name: json["name"]?.stringValue, node: json["node"]?.stringValue,
      ifAbsent: json["ifAbsent"]?.boolValue ?? false)
    if let command = json["command"] { self.command = try ExecSpecification(json: command) }
    if let argument = json["argument"]?.stringValue {
      guard let body = Base64.decoded(argument) else { throw GridError(.undecodable, "the argument is not base 64") }
      self.argument = Message(body: body, contentType: ContentType(name: json["argumentType"]?.stringValue ?? ""))
    }
    if let capacity = json["mailbox"]?.integerValue {
      guard let overflow = OverflowPolicy(rawValue: json["overflow"]?.stringValue ?? "reject") else {
        throw GridError(.usage, "unknown overflow policy")
      }
      mailbox = try MailboxOptions(capacity: Int(clamping: capacity), overflow: overflow).validated()
    }
  }
}

/// The program behind an `exec` actor and how to talk to it.
public struct ExecSpecification: Sendable, Equatable {
  /// How messages are written to the program and answers read from it.
  public enum Framing: String, Sendable, CaseIterable {
    /// The body as one line in, one line back.
    case lines
    /// A JSON envelope a line, both ways.
    case json
  }

  /// The program and its arguments; never a shell line.
  public var command: [String]
  public var framing: Framing
  /// Whether the program never answers.
  public var oneWay: Bool
  /// How long one message may take; nil means as long as its sender waits, and for a tell, for ever.
  public var handlerTimeout: Duration?
  public var restart: RestartPolicy
  /// Added to what the program gets of the node's environment.
  public var environment: [String: String]
  public var workingDirectory: String?
  /// What it may do and use.
  package var confinement = ProgramConfinement()

  public init(
    command: [String], framing: Framing = .lines, oneWay: Bool = false, handlerTimeout: Duration? = nil,
    restart: RestartPolicy = .standard, environment: [String: String] = [:], workingDirectory: String? = nil
  ) {
    self.command = command
    self.framing = framing
    self.oneWay = oneWay
    self.handlerTimeout = handlerTimeout
    self.restart = restart
    self.environment = environment
    self.workingDirectory = workingDirectory
  }

  package var json: JSONValue {
    let members: [String: JSONValue] = [
      "command": .array(command.map { .string($0) }), "framing": .string(framing.rawValue), "oneWay": .bool(oneWay),
      "handlerTimeoutSeconds": .optional(handlerTimeout?.inSeconds),
      "maximumRestarts": .integer(Int64(restart.maximumRestarts)),
      "restartWindowSeconds": .number(restart.window.inSeconds),
      "environment": .object(environment.mapValues { .string($0) }), "workingDirectory": .optional(workingDirectory),
    ]
    return .object(members.merging(confinement.members) { own, _ in own })
  }

  /// As reports show it: of variables the names only, since their values may be secrets.
  package var reportJSON: JSONValue {
    json.with("environment", .array(environment.keys.sorted().map { .string($0) }))
  }

  /// - Throws: ``GridError/Code/usage`` or ``GridError/Code/undecodable`` when a field is missing or wrong.
  package init(json: JSONValue) throws(GridError) {
    let words = json["command"]?.arrayValue ?? []
    let command = words.compactMap(\.stringValue)
    guard let program = command.first, !program.isEmpty, command.count == words.count else {
      throw GridError(.usage, "kind exec needs a command", hint: "gridctl spawn exec NAME -- COMMAND [ARGUMENT...]")
    }
    guard let framing = Framing(rawValue: json["framing"]?.stringValue ?? "lines") else {
      throw GridError(.usage, "unknown framing", hint: "lines or json")
    }
    var restart = RestartPolicy.standard
    if let count = json["maximumRestarts"]?.integerValue { restart.maximumRestarts = Int(clamping: count) }
    if let seconds = json["restartWindowSeconds"]?.doubleValue {
      restart.window = try Self.duration(seconds, "restart window")
    }
    self.init(
      command: command, framing: framing, oneWay: json["oneWay"]?.boolValue ?? false,
      handlerTimeout: try json["handlerTimeoutSeconds"]?.doubleValue.map { seconds throws(GridError) in
        try Self.duration(seconds, "handler timeout")
      },
      restart: restart,
      environment: (json["environment"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
      workingDirectory: json["workingDirectory"]?.stringValue)
    confinement = try ProgramConfinement(json: json)
  }

  private static func duration(_ seconds: Double, _ field: String) throws(GridError) -> Duration {
    guard let duration = Duration(seconds: seconds), duration > .zero else {
      throw GridError(.usage, "the \(field) is out of range", hint: "1ns to 100 years, as 500ms or 2m")
    }
    return duration
  }
}
