package import GridCore
internal import Synchronization

/// Remembers what a lease's observer is told.
package final class LeaseRecorder: LeaseObserver {
  private struct State {
    var renewals: [MonotonicTime] = []
    var losses: [GridError] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// The send times of the renewals, the grant's first.
  package var renewals: [MonotonicTime] { state.withLock { $0.renewals } }
  /// Why the lease was lost; more than one element is a fault of the engine.
  package var losses: [GridError] { state.withLock { $0.losses } }

  package func leaseRenewed(sentAt: MonotonicTime) { state.withLock { $0.renewals.append(sentAt) } }

  package func leaseLost(_ reason: GridError) { state.withLock { $0.losses.append(reason) } }
}

/// Remembers what a watch delivers.
package final class WatchRecorder: Sendable {
  private struct State {
    var events: [WatchEvent] = []
    var ending: String?
  }

  private let state = Mutex(State())

  package init() {}

  package var events: [WatchEvent] { state.withLock { $0.events } }

  /// All changes in the order of their delivery.
  package var changes: [StoreChange] {
    events.flatMap { event -> [StoreChange] in
      if case .changes(let changes, _) = event { changes } else { [] }
    }
  }

  /// The gaps, with the revision after which each went on.
  package var gaps: [Int64] {
    events.compactMap { event in
      if case .gap(let revision) = event { revision } else { nil }
    }
  }

  /// How the watch ended, nil while it runs.
  package var ending: String? { state.withLock { $0.ending } }

  package func record(_ event: WatchEvent) { state.withLock { $0.events.append(event) } }

  func ended(_ how: String) { state.withLock { $0.ending = how } }
}

/// Runs `body` beside a watch of everything under `prefix` after `revision`, then cancels the watch.
///
/// - Throws: what `body` throws, and what the watch throws although nobody made it.
func withWatch(
  _ store: any CoordinationStore, prefix: String, after revision: Int64,
  _ body: (WatchRecorder) async throws -> Void
) async throws {
  let recorder = WatchRecorder()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      do {
        try await store.watch(prefix: prefix, after: revision) { recorder.record($0) }
        recorder.ended("returned")
      } catch {
        recorder.ended("threw \(error)")
        throw error
      }
    }
    do {
      try await body(recorder)
    } catch {
      group.cancelAll()
      if let ending = recorder.ending { throw ConformanceFailure("\(error); the watch \(ending)") }
      throw error
    }
    try expect(recorder.ending == nil, "a watch \(recorder.ending ?? "") before it was cancelled")
    group.cancelAll()
    try await group.waitForAll()
  }
}

extension WatchRecorder {
  /// Waits until so many changes have come, and says which. A gap instead of changes is a failure: in a
  /// short history every change can be told.
  func changes(
    _ count: Int, within patience: Duration, line: Int = #line
  ) async throws -> [StoreChange] {
    try await eventually(within: patience, "\(count) changes on a watch, \(changes.count) came", line: line) {
      changes.count >= count || ending != nil
    }
    for case .gap in events {
      throw ConformanceFailure("the watch had a gap although every change could be told", line: line)
    }
    let delivered = changes
    try expectEqual(delivered.count, count, "the number of changes on a watch", line: line)
    return delivered
  }
}
