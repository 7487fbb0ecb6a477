internal import Dispatch
internal import Foundation
internal import GRDB
internal import GridCore

/// The open file of a store, and the folder of its leases beside it. Used by one thread only.
struct StoreFile {
  let queue: DatabaseQueue
  private let identity: FileIdentity?

  /// Opens the file, making it and its folders when they are not there.
  ///
  /// - Parameter revision: what its revisions follow: incarnations and fencing tokens are revisions, and none must
  ///   come twice where a file follows another one.
  /// - Throws: ``GridError/Code/unavailable`` with the reason, ``GridError/Code/configuration`` when a newer gridctl
  ///   has changed its form.
  init(path: String, after revision: Int64 = 0) throws(GridError) {
    do {
      try FileManager.default.createDirectory(
        atPath: Self.leases(of: path), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      StoreDatabase.makePrivateFile(path)
      queue = try Self.open(path, after: revision)
      identity = FileIdentity(path: path)
    } catch let error as GridError {
      throw error
    } catch {
      throw GridError(
        .unavailable, "cannot open the coordination store \(path)",
        hint: "check the directory, its space and permissions", cause: StoreEngine.reason(error))
    }
  }

  /// Where several nodes make the file at once, SQLite tells some of them that it is busy without waiting: a file that
  /// is about to become WAL has no lock to wait for. So they try again.
  private static func open(_ path: String, after revision: Int64) throws -> DatabaseQueue {
    let pause = DispatchSemaphore(value: 0)
    let limit = DispatchTime.now() + StoreDatabase.patience
    while true {
      do {
        let queue = try DatabaseQueue(path: path, configuration: StoreDatabase.configuration())
        try queue.inTransaction(.immediate) { database in
          try StoreDatabase.prepare(database)
          try StoreDatabase.raiseRevision(to: revision, database)
          return .commit
        }
        return queue
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && DispatchTime.now() < limit {
        // On the store's own thread, which nobody else waits for.
        _ = pause.wait(timeout: .now() + .milliseconds(20))
      }
    }
  }

  /// The folder of the files behind the leases.
  static func leases(of path: String) -> String { path + ".leases" }

  /// Whether the file was removed or replaced.
  var isGone: Bool { identity?.isGone ?? false }
}
