internal import Foundation
internal import GridCore
internal import GridSystem
internal import GridTestKit

@testable internal import Grid
@testable internal import GridStoreSQLite

/// Runs `body` with a directory of its own that is removed afterwards.
func withTemporaryDirectory(_ body: (_ path: String) async throws -> Void) async throws {
  let path = FileManager.default.temporaryDirectory.path + "/gridctl-store-\(UInt64.random(in: 0...UInt64.max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try await body(path)
}

/// Runs `body` with so many clients of one new store, and closes them.
func withStores(_ count: Int, _ body: ([any CoordinationStore]) async throws -> Void) async throws {
  try await withTemporaryDirectory { directory in
    var stores: [any CoordinationStore] = []
    do {
      for _ in 0..<count {
        stores.append(try await SQLiteCoordinationStore(path: directory + "/store.sqlite", clock: SystemClock()))
      }
      try await body(stores)
    } catch {
      for store in stores { await store.close() }
      throw error
    }
    for store in stores { await store.close() }
  }
}
