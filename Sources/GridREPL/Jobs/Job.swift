internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// A line at work, in the foreground or behind the prompt.
final class Job: Sendable {
  enum Place: Equatable, Sendable {
    case foreground
    /// Under this number; its output is shown above the prompt.
    case background(Int)
  }

  let text: String
  let sink: JobSink
  private let body: @Sendable (Job) async -> Int32
  private let cancellation = Latch()
  private let ended = Latch()
  private let result = Mutex<Int32?>(nil)

  init(text: String, sink: JobSink, body: @escaping @Sendable (Job) async -> Int32) {
    self.text = text
    self.sink = sink
    self.body = body
  }

  /// Runs it to its end. Once.
  func run() async {
    let code = await withTaskGroup(of: Int32?.self) { group in
      group.addTask { await self.body(self) }
      group.addTask {
        await self.cancellation.wait()
        return nil
      }
      // Cancelled or done: either way the other one is not needed, and the work itself says how it ended.
      var code = await group.next() ?? nil
      group.cancelAll()
      while let next = await group.next() { code = code ?? next }
      return code
    }
    sink.finish()
    result.withLock { $0 = code ?? 0 }
    ended.open()
  }

  func cancel() { cancellation.open() }

  var isCancelled: Bool { cancellation.isOpen }

  /// Its exit code, nil while it runs.
  var exitCode: Int32? { result.withLock { $0 } }

  /// Returns when it has ended, or the task is cancelled.
  func wait() async { await ended.wait() }

  /// Returns when it has ended, whatever becomes of the task.
  func settled() async {
    await withPromise { (promise: Promise<Void>) in ended.whenOpen { promise.fulfil() } }
  }
}

/// The output of a job: on the screen, or in lines above the prompt.
final class JobSink: OutputSink {
  /// How long a line without an end may become before it is shown in parts, in bytes.
  private static let maximumLine = 64 * 1024

  private struct State {
    var number: Int?
    var unfinished: [UInt8] = []
  }

  private let state: Mutex<State>
  private let screen: any OutputSink
  private let announce: @Sendable (String) -> Void

  /// - Parameter number: of a job in the background, nil in the foreground.
  init(screen: any OutputSink, number: Int? = nil, announce: @escaping @Sendable (String) -> Void) {
    state = Mutex(State(number: number))
    self.screen = screen
    self.announce = announce
  }

  /// Where the job is from now on.
  func move(to place: Job.Place) {
    let rest = state.withLock { state in
      defer { state.unfinished = [] }
      switch place {
      case .foreground: state.number = nil
      case .background(let number): state.number = number
      }
      return state.unfinished
    }
    if !rest.isEmpty { try? screen.output(rest) }
  }

  var isInForeground: Bool { state.withLock { $0.number == nil } }
  var outputIsTerminal: Bool { isInForeground && screen.outputIsTerminal }
  var errorIsTerminal: Bool { isInForeground && screen.errorIsTerminal }
  var terminalWidth: Int? { isInForeground ? screen.terminalWidth : nil }

  func output(_ bytes: [UInt8]) throws(GridError) {
    if isInForeground { return try screen.output(bytes) }
    show(bytes)
  }

  func error(_ bytes: [UInt8]) {
    if isInForeground { return screen.error(bytes) }
    show(bytes)
  }

  private func show(_ bytes: [UInt8]) {
    let lines = state.withLock { state -> [String] in
      state.unfinished += bytes
      var lines: [String] = []
      while let end = state.unfinished.firstIndex(of: 0x0A) {
        lines.append(Self.line(state.unfinished[..<end], state.number))
        state.unfinished.removeSubrange(...end)
      }
      if state.unfinished.count > Self.maximumLine {
        lines.append(Self.line(state.unfinished[...], state.number))
        state.unfinished = []
      }
      return lines
    }
    for line in lines { announce(line) }
  }

  private static func line(_ bytes: ArraySlice<UInt8>, _ number: Int?) -> String {
    "[\(number ?? 0)] \(SessionServices.printable(String(decoding: bytes, as: UTF8.self)))"
  }

  /// Shows what has no end of line.
  func finish() {
    let line = state.withLock { state -> String? in
      defer { state.unfinished = [] }
      return state.unfinished.isEmpty ? nil : Self.line(state.unfinished[...], state.number)
    }
    if let line { announce(line) }
  }
}
