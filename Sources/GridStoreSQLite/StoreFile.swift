internal import Foundation
internal import GRDB
internal import Glibc
internal import GridCore
internal import GridSystem

/// The open file of a store, and the folder of its leases beside it. Used by one thread only.
struct StoreFile {
  let queue: DatabaseQueue
  private let path: String
  private let identity: DatabaseIdentity

  /// Opens the file, making it and its folders when they are not there.
  ///
  /// - Parameters:
  ///   - revision: what its revisions follow: incarnations and fencing tokens are revisions, and none must come twice
  ///     where a file follows another one.
  ///   - isSuspect: whether it was found damaged, and is to be looked through.
  /// - Throws: ``GridError/Code/unavailable`` with the reason, ``GridError/Code/configuration`` when a newer gridctl
  ///   has changed its form.
  init(path: String, after revision: Int64 = 0, isSuspect: Bool = false) throws(GridError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: Self.leases(of: path), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      StoreDatabase.makePrivateFile(path)
      let present = FileIdentity(path: path)
      queue = try Self.open(path, after: revision)
      identity = DatabaseIdentity(path: path)
      guard identity.isOf(present), !identity.isGone else {
        try? queue.close()
        throw Self.gone(path)
      }
      if isSuspect { try queue.read(StoreDatabase.lookThrough) }
    } catch let error as GridError {
      throw error
    } catch {
      throw GridError(
        .unavailable, "cannot open the coordination store \(path)", hint: Self.hint(error, path),
        cause: StoreEngine.reason(error))
    }
  }

  /// Where several nodes make the file at once, SQLite tells some of them that it is busy without waiting: a file that
  /// is about to become WAL has no lock to wait for. So they try again.
  private static func open(_ path: String, after revision: Int64) throws -> DatabaseQueue {
    let clock = SystemClock()
    let limit = clock.now() + .seconds(StoreDatabase.patience)
    while true {
      do {
        let queue = try DatabaseQueue(path: path, configuration: StoreDatabase.configuration())
        try queue.inTransaction(.immediate) { database in
          try StoreDatabase.prepare(database)
          try StoreDatabase.raiseRevision(to: revision, database)
          return .commit
        }
        return queue
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && clock.now() < limit {
        // On the store's own thread, which nobody else waits for.
        _ = poll(nil, 0, 20)
      }
    }
  }

  /// The folder of the files behind the leases.
  static func leases(of path: String) -> String { path + ".leases" }

  /// What makes a store usable again.
  static func hint(_ error: any Error, _ path: String) -> String {
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      return "there is a directory in its place: move it away, and the nodes make the store anew"
    }
    return isDamage(error)
      ? "move it away, also while nodes run: mv \(path) \(path).damaged; they make a new one and join again"
      : "check the directory, its space and permissions"
  }

  /// Whether an error means that the file is not what it was written as.
  static func isDamage(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return false }
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return true
    // Our own statements ask for nothing that is not there, unless the file was emptied or is another one.
    case .SQLITE_ERROR: return error.message?.hasPrefix("no such ") ?? false
    default: return false
    }
  }

  static func gone(_ path: String) -> GridError {
    GridError(
      .unavailable, "the coordination store \(path) was removed or replaced: nothing was done",
      hint: "leave it alone while nodes run; they make it anew, and join again")
  }

  /// Whether the file was removed or replaced.
  var isGone: Bool { identity.isGone }

  /// - Throws: ``GridError/Code/unavailable`` when it is not the file at its path any more: nobody else sees what is
  ///   done to it.
  func demandPresence() throws(GridError) { if isGone { throw Self.gone(path) } }
}
