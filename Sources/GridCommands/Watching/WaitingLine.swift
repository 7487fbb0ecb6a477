internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem

/// Tells on a terminal that something is under way, and since when.
enum WaitingLine {
  /// Runs `body`; after a second of it a line on standard error counts the time.
  static func show<Value: Sendable>(
    _ what: String, _ session: CommandSession, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let writer = session.writer
    guard writer.errorIsTerminal, !session.settings.isQuiet else { return try await body() }
    let clock = SystemClock()
    let began = clock.now()
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        while true {
          try await session.cluster.timers.pause(for: .seconds(1))
          writer.progress("\(what): \(HumanText.duration(clock.now() - began))")
        }
      }
      defer {
        group.cancelAll()
        writer.clearProgress()
      }
      while let value = try await group.next() { if let value { return value } }
      throw CancellationError()
    }
  }
}
