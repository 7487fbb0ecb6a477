internal import GridCore

/// The reply is the body, with its content type.
struct EchoActor: ImmediateActor {
  mutating func receive(_ message: Message, _ context: ActorContext) { context.reply(message) }
}

/// Swallows what it is told and counts it; asked, it replies how many messages there were before.
struct SinkActor: ImmediateActor {
  private var count: Int64 = 0

  mutating func receive(_ message: Message, _ context: ActorContext) {
    if context.isAsked { context.reply(Message(json: .integer(count))) } else { count += 1 }
  }
}

/// Adds up: an integer or `{"add":N}` adds, an empty body reads; the reply is the total. Begins with the spawn's
/// argument, also after a restart.
struct CounterActor: ImmediateActor {
  private var total: Int64 = 0

  init(_ request: SpawnRequest) throws(GridError) {
    if let argument = request.argument { total = try Self.amount(in: argument) }
  }

  mutating func receive(_ message: Message, _ context: ActorContext) throws {
    let (sum, overflow) = total.addingReportingOverflow(try Self.amount(in: message))
    guard !overflow else { throw GridError(.undecodable, "the total would not fit in 64 bits") }
    total = sum
    if context.isAsked { context.reply(Message(json: .integer(total))) }
  }

  private static func amount(in message: Message) throws(GridError) -> Int64 {
    if message.body.isEmpty { return 0 }
    let wanted = "kind counter takes an integer or {\"add\":N}"
    do {
      let value = try message.json()
      if let amount = value.integerValue ?? value["add"]?.integerValue { return amount }
    } catch {
      throw GridError(.undecodable, wanted, cause: error.message)
    }
    throw GridError(.undecodable, wanted)
  }
}

extension SpawnRequest {
  /// - Throws: ``GridError/Code/usage`` when there is an argument.
  fileprivate func refuseArgument() throws(GridError) {
    if argument != nil { throw GridError(.usage, "kind \(kind) takes no argument", hint: "leave --arg out") }
  }
}

/// The kinds that come with every node.
package enum BuiltInKinds {
  /// Their names; `exec` is one although it is offered only where it is allowed.
  package static let names: Set<String> = ["counter", "echo", "exec", "sink"]
}

extension KindRegistry {
  /// The kinds every node offers beside `exec`.
  package mutating func registerBuiltIns() {
    register("echo") {
      try $0.refuseArgument()
      return EchoActor()
    }
    register("sink") {
      try $0.refuseArgument()
      return SinkActor()
    }
    register("counter") { try CounterActor($0) }
  }
}
