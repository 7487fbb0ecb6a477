internal import GridActors
internal import GridConcurrency
package import GridCore

/// The disk of a machine, as far as dead letters are on it: it outlives the process.
package final class SimulatedDeadLetterLog: DeadLetterLog {
  private let log: InMemoryDeadLetterLog
  private let disk: String
  private let process: SimulatedProcess
  private let record: SimulationRecord

  package init(_ log: InMemoryDeadLetterLog, of disk: String, _ process: SimulatedProcess, _ record: SimulationRecord) {
    self.log = log
    self.disk = disk
    self.process = process
    self.record = record
  }

  package func append(_ letters: [DeadLetter], dropped: Int) async throws(GridError) {
    if process.world.plant == .skipsSync {
      writeLater(letters, dropped)
    } else if !process.world.strikes(.losesDeadLetter, onceIn: 3) {
      try await log.append(letters, dropped: dropped)
    }
    for letter in letters { record.kept(letter, on: disk) }
  }

  /// As a file does that nobody tells to write what it has: what the process leaves behind is lost.
  private func writeLater(_ letters: [DeadLetter], _ dropped: Int) {
    process.world.schedule(after: .seconds(2), for: process) { [log, process] in
      UnstructuredTask.start(on: SimulatedExecutor(process)) { try? await log.append(letters, dropped: dropped) }
    }
  }

  package func page(_ query: DeadLetterQuery) async throws(GridError) -> DeadLetterPage { try await log.page(query) }

  package func letter(_ identifier: String) async throws(GridError) -> DeadLetter? { try await log.letter(identifier) }

  package func markReplayed(
    _ identifier: String, as replay: String, insteadOf expected: String
  ) async throws(GridError) -> Bool {
    try await log.markReplayed(identifier, as: replay, insteadOf: expected)
  }

  package func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int { try await log.purge(filter) }

  package func count(since: CalendarTime) async throws(GridError) -> Int { try await log.count(since: since) }

  package func counts() async throws(GridError) -> DeadLetterCounts { try await log.counts() }

  /// The process closes it; the disk stays.
  package func close() async {}
}
