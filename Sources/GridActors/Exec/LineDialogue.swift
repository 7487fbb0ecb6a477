internal import GridConcurrency
internal import GridCore

/// What an actor and its program have said to each other in framing `lines`, as a value under the behaviour's lock:
/// tells answers from lines that nobody asked for, so that nobody ever gets another's answer.
///
/// ```
/// greeting ─▶ probing ─▶ asking ◀──▶ idle
///     └──────────────────▶ │           │
///                          └─▶ outOfStep ◀─┘
/// ```
///
/// A program may write lines before it reads its first message: a greeting. When the first message is there before the
/// greeting, only its beginning goes out (`probing`): a program that has read some of it has written its greeting, and
/// cannot have answered yet. Later a line is an answer or it is a fault: then it cannot be known any more whose answer
/// the next line is.
struct LineDialogue {
  private enum Phase {
    case greeting
    case probing(PendingAsk)
    case idle
    /// The question begins at `start` in the program's input; the answer is held until all that was written is here.
    case asking(PendingAsk, start: Int?, answer: [UInt8]?)
    case outOfStep
  }

  /// How a message goes out.
  enum Opening: Equatable {
    case whole
    /// Its beginning first, and the rest when ``begin()`` was called.
    case inPart
    /// Not at all.
    case refused
  }

  /// What follows from what the program wrote.
  enum Action {
    case none
    /// A line before anything was asked: logged, and nothing else.
    case greeting([UInt8])
    case answer(PendingAsk, [UInt8])
    /// The program is out of step: it is replaced, and whoever waits gets the error.
    case giveUp(PendingAsk?, GridError)
  }

  private var phase = Phase.greeting
  private var greetingBytes = 0

  /// More than this before anything was asked is no greeting.
  static let maximumGreetingBytes = 1024 * 1024

  /// A message is about to go out.
  ///
  /// - Parameter start: how many bytes the program was handed before it.
  mutating func open(_ ask: PendingAsk, line: [UInt8], start: Int) -> Opening {
    switch phase {
    case .greeting where !line.isEmpty:
      phase = .probing(ask)
      return .inPart
    case .greeting, .idle:
      phase = .asking(ask, start: start, answer: nil)
      return .whole
    case .probing, .asking, .outOfStep: return .refused
    }
  }

  /// The program has begun to read its first message, and all it wrote before was taken.
  mutating func begin() {
    if case .probing(let ask) = phase { phase = .asking(ask, start: nil, answer: nil) }
  }

  /// - Parameter bytesRead: how much of its input the program has read.
  mutating func take(_ line: [UInt8], bytesRead: Int) -> Action {
    switch phase {
    case .greeting, .probing:
      greetingBytes += line.count + 32
      guard greetingBytes > Self.maximumGreetingBytes else { return .greeting(line) }
      return giveUp("it wrote more than \(Self.maximumGreetingBytes) bytes before it read anything", nil)
    case .asking(_, let start?, _) where bytesRead <= start: return giveUp(Self.unasked, line)
    case .asking(_, _, .some): return giveUp("it wrote more than one line in answer to one message", line)
    case .asking(let ask, let start, nil):
      phase = .asking(ask, start: start, answer: line)
      return .none
    case .idle: return giveUp(Self.unasked, line)
    case .outOfStep: return .none
    }
  }

  /// All that the program had written was taken.
  mutating func quiet() -> Action {
    guard case .asking(let ask, _, let answer?) = phase else { return .none }
    phase = .idle
    return .answer(ask, answer)
  }

  /// The program writes nothing any more.
  mutating func end() -> PendingAsk? {
    defer { phase = .outOfStep }
    switch phase {
    case .probing(let ask), .asking(let ask, _, _): return ask
    case .greeting, .idle, .outOfStep: return nil
    }
  }

  static let outOfStep = GridError(
    .handlerFailed, "the program is out of step",
    hint: "in framing lines a program writes one line for each message, and none that nobody asked for")

  private static let unasked = "it wrote a line that nobody asked for"

  private mutating func giveUp(_ what: String, _ line: [UInt8]?) -> Action {
    var error = Self.outOfStep
    let shown = line.map { ": “\(PrintableText.of($0, limit: 200))”" } ?? ""
    error.message += ": \(what)\(shown)"
    return .giveUp(end(), error)
  }
}
