internal import GridActors
internal import GridConcurrency
internal import GridCore

/// What the messages of a simulated cluster say: which they are, and what is to be done with them.
struct SimulatedMessage {
  enum Wish: String, CaseIterable {
    /// Answer at once.
    case answer
    /// Answer after a while.
    case slowly
    /// Fail, so that the actor is restarted.
    case fail
  }

  var number: Int
  /// Of the sender's messages to that target.
  var sequence: Int
  var sender: String
  var wish: Wish

  var message: Message { Message("\(number) \(sequence) \(sender) \(wish.rawValue)") }

  init(number: Int, sequence: Int, sender: String, wish: Wish) {
    self.number = number
    self.sequence = sequence
    self.sender = sender
    self.wish = wish
  }

  init?(_ message: Message) {
    let words = message.text.split(separator: " ")
    guard words.count == 4, let number = Int(words[0]), let sequence = Int(words[1]),
      let wish = Wish(rawValue: String(words[3]))
    else { return nil }
    self.init(number: number, sequence: sequence, sender: String(words[2]), wish: wish)
  }
}

/// The actor of a simulated cluster: it tells the record what it sees, and answers.
struct RecordingActor: GridActor {
  let record: SimulationRecord
  let process: SimulatedProcess
  let timers: SimulatedTimers
  /// Which behaviour it is.
  private let number: Int

  init(record: SimulationRecord, process: SimulatedProcess, timers: SimulatedTimers) {
    self.record = record
    self.process = process
    self.timers = timers
    number = record.number()
  }

  private func activation(_ context: ActorContext) -> ActivationLedger.Activation {
    ActivationLedger.Activation(
      name: context.name, epoch: context.epoch, process: process.name, behaviour: number)
  }

  mutating func started(_ context: ActorContext) async throws { record.starts(activation(context)) }

  mutating func receive(_ message: Message, _ context: ActorContext) async throws {
    let activation = activation(context)
    let sent = SimulatedMessage(message)
    record.acts(activation, sent)
    defer { record.rests(activation) }
    guard let sent else { return context.reply(Message("none")) }
    switch sent.wish {
    case .answer: break
    case .slowly:
      await timers.sleep(for: process.world.roll { $0.duration(.milliseconds(1), .milliseconds(1500)) })
      // Its name may have passed on meanwhile.
      record.writes(activation)
    case .fail: throw GridError(.handlerFailed, "as it was told to")
    }
    context.reply(Message("\(sent.number)"))
  }

  mutating func stopped(_ context: ActorContext) async { record.stops(activation(context)) }
}
