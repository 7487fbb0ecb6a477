internal import GridConcurrency
internal import GridCore
internal import Testing

@testable internal import GridActors

/// The rules of framing `lines`, one after the other as they happen.
@Suite("Who is answered by a line")
struct LineDialogueTests {
  /// What follows, without the objects in it.
  private enum Outcome: Equatable {
    case none, greeting
    case answer(String)
    case giveUp(hasAsker: Bool)

    init(_ action: LineDialogue.Action) {
      self =
        switch action {
        case .none: .none
        case .greeting: .greeting
        case .answer(_, let line): .answer(String(decoding: line, as: UTF8.self))
        case .giveUp(let ask, _): .giveUp(hasAsker: ask != nil)
        }
    }
  }

  private final class Driver {
    private var dialogue = LineDialogue()

    func take(_ line: String, read: Int = 100) -> Outcome {
      Outcome(dialogue.take(Array(line.utf8), bytesRead: read))
    }
    func open(_ line: String = "x", start: Int = 0) -> LineDialogue.Opening {
      dialogue.open(PendingAsk(), line: Array(line.utf8), start: start)
    }
    func begin() { dialogue.begin() }
    func quiet() -> Outcome { Outcome(dialogue.quiet()) }
    func endFreesAnAsker() -> Bool { dialogue.end() != nil }
  }

  /// A program that has been asked once and has answered.
  private func answered() -> Driver {
    let dialogue = Driver()
    _ = dialogue.open()
    dialogue.begin()
    _ = dialogue.take("a")
    _ = dialogue.quiet()
    return dialogue
  }

  @Test("a greeting before the first message, or before it is read, answers nobody")
  func greeting() {
    let dialogue = Driver()
    #expect(dialogue.take("ready") == .greeting)
    #expect(dialogue.quiet() == .none)
    #expect(dialogue.open() == .inPart)
    #expect(dialogue.take("late") == .greeting)
    #expect(dialogue.quiet() == .none)
    dialogue.begin()
    #expect(dialogue.take("a") == .none)
    #expect(dialogue.quiet() == .answer("a"))
  }

  @Test("one line for each message")
  func inStep() {
    let dialogue = answered()
    for number in 0..<3 {
      #expect(dialogue.open(start: number * 10) == .whole)
      #expect(dialogue.take("a\(number)", read: number * 10 + 1) == .none)
      #expect(dialogue.quiet() == .answer("a\(number)"))
    }
  }

  @Test("a first message without a text cannot go out in part")
  func emptyFirst() {
    let dialogue = Driver()
    #expect(dialogue.open("") == .whole)
    #expect(dialogue.take("early", read: 0) == .giveUp(hasAsker: true))
  }

  @Test("two lines for one message are nobody's answer")
  func twoLines() {
    let dialogue = answered()
    #expect(dialogue.open() == .whole)
    #expect(dialogue.take("one") == .none)
    #expect(dialogue.take("two") == .giveUp(hasAsker: true))
    #expect(dialogue.open() == .refused)
    #expect(dialogue.take("three") == .none)
  }

  @Test("a line while nothing is asked ends the dialogue")
  func stray() {
    let dialogue = answered()
    #expect(dialogue.take("late") == .giveUp(hasAsker: false))
    #expect(dialogue.open() == .refused)
  }

  @Test("a line that was written before the message was read is no answer to it")
  func beforeRead() {
    let dialogue = answered()
    #expect(dialogue.open(start: 40) == .whole)
    #expect(dialogue.take("late", read: 40) == .giveUp(hasAsker: true))
  }

  @Test("no end of greeting is an error, and counts empty lines")
  func endlessGreeting() {
    let dialogue = Driver()
    var outcome = Outcome.greeting
    for _ in 0..<40_000 where outcome == .greeting { outcome = dialogue.take("") }
    #expect(outcome == .giveUp(hasAsker: false))
  }

  @Test("the end of the output frees whoever waits")
  func end() {
    #expect(!answered().endFreesAnAsker())
    let dialogue = answered()
    _ = dialogue.open()
    #expect(dialogue.endFreesAnAsker())
    #expect(!dialogue.endFreesAnAsker())
  }
}
