internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// A picture of the entries under one prefix of the store: read page by page, then kept current by a watch, and read
/// anew after a gap.
///
/// It answers questions at once; it lags behind the store by the watch's delay, so it finds the way and never decides.
package final class StoreMirror<Value: Sendable>: Sendable {
  /// What is told of, in order, from the task of ``follow(_:whole:)``.
  enum Event: Sendable {
    case news(MirrorState<Value>.News)
    /// Everything was read; nothing is missing up to that revision.
    case read(revision: Int64)
  }

  private let store: any CoordinationStore
  private let prefix: String
  private let parse: @Sendable (StoreEntry) -> Value?
  private let state = Mutex(MirrorState<Value>())
  private let bell = ChangeBell()

  /// - Parameter parse: what is kept of an entry; nil when it is none of ours.
  init(store: any CoordinationStore, prefix: String, parse: @escaping @Sendable (StoreEntry) -> Value?) {
    self.store = store
    self.prefix = prefix
    self.parse = parse
  }

  subscript(name: String) -> Value? { state.withLock { $0.entries[name]?.value } }

  /// Raised whenever the picture may have changed.
  var version: Int { state.withLock { $0.version } }

  /// Everything, sorted by name.
  var all: [Value] {
    state.withLock { $0.entries }.sorted { $0.key < $1.key }.map(\.value.value)
  }

  /// Listens for the next change of a name; ask for it before looking.
  func listen(for name: String) -> Ring { bell.listen(for: name) }

  /// Keeps the picture current until the task is cancelled. Runs again after every fault the engine could not hide.
  ///
  /// - Parameters:
  ///   - told: called for what changed.
  ///   - whole: called once the picture is whole.
  func follow(_ told: @escaping @Sendable (Event) -> Void, whole: () -> Void = {}) async throws {
    let revision = try await read(told)
    whole()
    try await store.watch(prefix: prefix, after: revision) { [self] event in
      switch event {
      case .changes(let changes, let revision): take(changes, upTo: revision, told)
      case .gap: _ = try await read(told)
      }
    }
  }

  /// - Returns: the revision after which a watch tells what is new.
  private func read(_ told: (Event) -> Void) async throws(GridError) -> Int64 {
    state.withLock { $0.beginReading() }
    try await store.pages(of: StoreRange(prefix: prefix)) { page in
      let kept = page.entries.compactMap { entry in
        held(entry).map { (name: StoreKeys.name(entry.key, under: prefix), held: $0) }
      }
      state.withLock { $0.take(page: kept, revision: page.revision) }
    }
    let (news, revision) = state.withLock { ($0.endReading(), $0.revision) }
    for news in news { told(.news(news)) }
    told(.read(revision: revision))
    // Anything may have changed.
    bell.ringAll()
    return revision
  }

  private func take(_ changes: [StoreChange], upTo revision: Int64, _ told: (Event) -> Void) {
    let parsed = changes.map { change -> MirrorState<Value>.Change in
      let name = StoreKeys.name(change.key, under: prefix)
      switch change {
      case .delete(_, let revision): return .delete(name, revision: revision)
      case .put(let entry):
        return held(entry).map { .put(name, $0) } ?? .dropped(name, revision: entry.modifyRevision)
      }
    }
    for news in state.withLock({ $0.take(parsed, upTo: revision) }) { told(.news(news)) }
    for change in changes { bell.ring(StoreKeys.name(change.key, under: prefix)) }
  }

  private func held(_ entry: StoreEntry) -> MirrorState<Value>.Held? {
    parse(entry).map { MirrorState.Held(value: $0, modified: entry.modifyRevision) }
  }
}
