internal import Foundation
internal import GridCore
internal import GridStoreSQLite

/// Where nodes of this machine keep their dead letters: files beside each other in the state directory.
///
/// A file whose node is gone is read by the nodes that are left, until the node comes again and opens it itself. Both
/// at once do no harm: every access is a transaction, and a letter that two nodes tell is known by its identifier.
struct DeadLetterFiles: Sendable {
  private static let suffix = ".dead-letters.sqlite"
  /// Files of nodes that are gone which are looked at; the rest waits until these are purged.
  private static let most = 256

  let directory: String

  func path(of node: String) -> String { "\(directory)/\(node)\(Self.suffix)" }

  /// The nodes that have left files, in order, but for those that run.
  func abandoned(butFor running: Set<String>) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return files.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
      .filter { NameRules.isValid($0) && !running.contains($0) }.sorted().prefix(Self.most).map { $0 }
  }

  /// Runs `body` with the letters of a node that is gone.
  func withLog<Value>(
    of node: String, _ body: (any DeadLetterLog) async throws -> Value
  ) async throws -> Value {
    let log = try await SQLiteDeadLetterLog(
      path: path(of: node), capacity: DeadLetterCapacity(letters: .max, bytes: .max))
    let result: Result<Value, any Error>
    do { result = .success(try await body(log)) } catch { result = .failure(error) }
    await log.close()
    return try result.get()
  }
}
