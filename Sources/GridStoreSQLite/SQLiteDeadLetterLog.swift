internal import Foundation
internal import GRDB
internal import GridConcurrency
package import GridCore
internal import Synchronization

/// A node's dead letters in an SQLite file of its own.
package final class SQLiteDeadLetterLog: DeadLetterLog {
  private let path: String
  private let file: Mutex<OpenFile>
  private let capacity: DeadLetterCapacity

  private struct OpenFile {
    var queue: DatabaseQueue
    var identity: FileIdentity?
  }

  /// Opens the file, making it when it is not there.
  ///
  /// - Parameter capacity: beyond it the oldest letters are dropped and counted.
  /// - Throws: ``GridError/Code/inputOutput`` with the reason when it cannot be opened.
  package init(path: String, capacity: DeadLetterCapacity = DeadLetterCapacity()) async throws(GridError) {
    self.path = path
    self.capacity = capacity
    file = Mutex(try await Self.open(path))
  }

  private static func open(_ path: String) async throws(GridError) -> OpenFile {
    do {
      StoreDatabase.makePrivateFile(path)
      var configuration = StoreDatabase.configuration()
      configuration.label = "dead letters"
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try await write(to: queue) { try DeadLetterTable.prepare($0) }.get()
      return OpenFile(queue: queue, identity: FileIdentity(path: path))
    } catch {
      throw gridError(error, "cannot open the dead letters \(path)")
    }
  }

  /// The file under the path: where it was taken away, a new one.
  private func queue() async throws(GridError) -> DatabaseQueue {
    let (present, identity) = file.withLock { ($0.queue, $0.identity) }
    guard identity?.isGone ?? false else { return present }
    let fresh = try await Self.open(path)
    // Another call may have been quicker.
    let (chosen, surplus) = file.withLock { file in
      guard file.queue === present else { return (file.queue, fresh.queue) }
      file = fresh
      return (fresh.queue, present)
    }
    try? surplus.close()
    return chosen
  }

  package func append(_ letters: [DeadLetter], dropped: Int) async throws(GridError) {
    let capacity = capacity
    try await write { database in
      for letter in letters { try DeadLetterTable.insert(letter, database) }
      if dropped > 0 { try DeadLetterTable.noteDropped(dropped, database) }
      try DeadLetterTable.dropOldest(beyond: capacity, database)
    }
  }

  package func page(_ query: DeadLetterQuery) async throws(GridError) -> DeadLetterPage {
    try await read { try DeadLetterTable.page(query, $0) }
  }

  package func letter(_ identifier: String) async throws(GridError) -> DeadLetter? {
    try await read { try DeadLetterTable.letter(identifier, $0) }
  }

  package func markReplayed(
    _ identifier: String, as replay: String, insteadOf expected: String
  ) async throws(GridError) -> Bool {
    try await write { try DeadLetterTable.mark(identifier, as: replay, insteadOf: expected, $0) }
  }

  package func purge(_ filter: DeadLetterFilter) async throws(GridError) -> Int {
    try await write { try DeadLetterTable.purge(filter, $0) }
  }

  package func count(since: CalendarTime) async throws(GridError) -> Int {
    try await read { database in
      let sum = try Double.fetchOne(
        database, sql: "SELECT total(count) FROM messages WHERE at >= ?", arguments: [since.millisecondsSince1970])
      return Int(clamping: Int64(exactly: (sum ?? 0).rounded()) ?? .max)
    }
  }

  package func counts() async throws(GridError) -> DeadLetterCounts {
    try await read { try DeadLetterTable.counts($0) }
  }

  package func close() async { file.withLock { try? $0.queue.close() } }

  private func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(GridError) -> Value {
    let result = await Self.write(to: try await queue(), body)
    do { return try result.get() } catch { throw Self.gridError(error, "the dead letters cannot be written") }
  }

  /// Not the async form, which a cancelled task gives up: a node that is cancelled still writes its last letters.
  private static func write<Value: Sendable>(
    to queue: DatabaseQueue, _ body: @escaping @Sendable (Database) throws -> Value
  ) async -> Result<Value, any Error> {
    await withPromise { promise in queue.asyncWrite(body) { promise.fulfil($1) } }
  }

  private func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(GridError) -> Value {
    do { return try await queue().read(body) } catch { throw Self.gridError(error, "the dead letters cannot be read") }
  }

  private static func gridError(_ error: any Error, _ message: String) -> GridError {
    if let error = error as? GridError { return error }
    if error is CancellationError { return GridError(.cancelled, message) }
    return GridError(.inputOutput, message, cause: StoreEngine.reason(error))
  }
}
