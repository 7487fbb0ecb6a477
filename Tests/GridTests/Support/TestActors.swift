internal import Grid
internal import Synchronization

/// A door that actors wait at, and what they handled.
final class Gate: Sendable {
  private let isOpen = Mutex(false)
  let handled = Collected<String>()
  let arrived = Collected<String>()

  func open() { isOpen.withLock { $0 = true } }

  /// Waits until the gate is open, whatever happens.
  func pass() async {
    while !isOpen.withLock({ $0 }) {
      // A cancelled sleep returns at once: then this only yields.
      try? await Task.sleep(for: .milliseconds(2))
      await Task.yield()
    }
  }
}

/// Waits at its gate with every message.
struct GatedActor: GridActor {
  let gate: Gate

  func receive(_ message: Message, _ context: ActorContext) async throws {
    gate.arrived.append(message.text)
    await gate.pass()
    gate.handled.append(message.text)
    context.reply(message)
  }
}

/// Waits at its gate with every message, but goes away when it is cancelled.
struct PatientActor: GridActor {
  let gate: Gate

  func receive(_ message: Message, _ context: ActorContext) async throws {
    gate.arrived.append(message.text)
    try await Task.sleep(for: .seconds(600))
  }
}

/// Keeps a total; `fail` throws, `garbage` is undecodable, `crash` fails when it starts again.
struct FragileActor: GridActor {
  let log: Collected<String>
  var total = 0

  mutating func started(_ context: ActorContext) async throws { log.append("started") }

  mutating func receive(_ message: Message, _ context: ActorContext) async throws {
    switch message.text {
    case "fail": throw FragileError()
    case "garbage": throw GridError(.undecodable, "garbage")
    case "refuse": throw GridError(.refused, "not from you")
    case "silence": return
    case "stop": context.stop()
    default: total += Int(message.text) ?? 0
    }
    try context.reply(total)
  }

  mutating func stopped(_ context: ActorContext) async { log.append("stopped at \(total)") }
}

struct FragileError: Error {}

/// Sends so many messages to nobody as it is told.
struct StormActor: ImmediateActor {
  mutating func receive(_ message: Message, _ context: ActorContext) {
    for number in 0..<(Int(message.text) ?? 0) { context.tell("nobody", Message("letter \(number)")) }
    context.reply(Message())
  }
}

/// Passes questions on to another actor and answers with its reply.
struct RelayActor: GridActor {
  let target: String

  func receive(_ message: Message, _ context: ActorContext) async throws {
    context.reply(try await context.ask(target, message))
  }
}

/// Sends so many messages to an actor at once, the way it is told: `tell 12 target`, `tell-and-wait …`, `ask …`.
struct FloodActor: GridActor {
  func receive(_ message: Message, _ context: ActorContext) async throws {
    let words = message.text.split(separator: " ").map(String.init)
    guard words.count == 3, let count = Int(words[1]) else { throw GridError(.undecodable, "what is that") }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        let (text, target) = (Message("\(number)"), words[2])
        switch words[0] {
        case "tell": context.tell(target, text)
        case "tell-and-wait": group.addTask { try? await context.tell(target, text, timeout: .seconds(60)) }
        default: group.addTask { _ = try? await context.ask(target, text, timeout: .seconds(60)) }
        }
      }
    }
  }
}
