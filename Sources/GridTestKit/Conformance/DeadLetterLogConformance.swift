package import GridCore

/// The behaviour that every dead-letter log must have, as named cases; used as ``CoordinationStoreConformance`` is.
package enum DeadLetterLogConformance {
  /// An engine, and how to get at it.
  package struct Engine: Sendable, CustomStringConvertible {
    /// Hands `body` a new, empty log of that capacity, and clears up when it is done.
    package typealias WithLog =
      @Sendable (_ capacity: DeadLetterCapacity, _ body: @Sendable (any DeadLetterLog) async throws -> Void)
      async throws -> Void

    package var name: String
    let withLog: WithLog

    package init(_ name: String, withLog: @escaping WithLog) {
      self.name = name
      self.withLog = withLog
    }

    package var description: String { name }
  }

  /// One expectation.
  package struct Case: Sendable, CustomStringConvertible {
    package let name: String
    let capacity: DeadLetterCapacity
    let body: @Sendable (any DeadLetterLog) async throws -> Void

    init(
      _ name: String, capacity: Int = 1000, bytes: Int = 1 << 30,
      _ body: @escaping @Sendable (any DeadLetterLog) async throws -> Void
    ) {
      self.name = name
      self.capacity = DeadLetterCapacity(letters: capacity, bytes: bytes)
      self.body = body
    }

    /// Holds the engine to this expectation.
    ///
    /// - Throws: ``ConformanceFailure`` with what was expected and what came, or the engine's own error.
    package func run(on engine: Engine) async throws {
      let body = body
      try await engine.withLog(capacity) { log in
        do {
          try await body(log)
          await log.close()
        } catch {
          await log.close()
          throw error
        }
      }
    }

    package var description: String { name }
  }

  /// Every case.
  package static let cases: [Case] = keepingCases + pagingCases + replayCases + countingCases + roomCases

  /// A letter; those with larger numbers are later, a second each.
  static func letter(
    _ number: Int, target: String = "worker", reason: DeadLetter.Reason = .mailboxFull, count: Int = 1,
    message: Message = Message("body")
  ) -> DeadLetter {
    let digits = "\(number)"
    return DeadLetter(
      identifier: "01" + String(repeating: "0", count: 24 - digits.count) + digits,
      at: CalendarTime(millisecondsSince1970: 1_767_225_600_000 + Int64(number) * 1000), reason: reason,
      target: target, sender: "client", node: "node-1", message: message, count: count, detail: "detail \(number)")
  }

  /// The counts of letters, without their bytes.
  static func totals(of log: any DeadLetterLog) async throws -> DeadLetterCounts {
    var counts = try await log.counts()
    counts.bytes = 0
    return counts
  }

  static func identifiers(_ letters: [DeadLetter]) -> [String] { letters.map(\.identifier) }

  static func identifiers(_ numbers: [Int]) -> [String] { numbers.map { letter($0).identifier } }
}
