internal import GRPCCore
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

/// One watch: streams one after another, what they bring put in order, and a look at the whole now and then.
///
/// etcd 3.4 loses, repeats and rewinds watch events around compactions and leader changes. So events at or below the
/// last revision are dropped, and each stream ends after a while with a list of everything, which is compared with
/// what the events added up to.
struct EtcdWatch {
  let cluster: EtcdCluster
  let mapping: EtcdMapping
  let prefix: String
  let receive: @Sendable (WatchEvent) async throws -> Void
  let list: @Sendable () async throws -> StoreSnapshot

  /// How long one stream lives before everything is listed and compared.
  private static let streamLife = Duration.seconds(30)
  /// A stream whose member does not answer a progress request for so long is given up.
  private static let silenceLimit = Duration.milliseconds(2500)

  /// The revision up to which everything was delivered, and the keys with their last changes; nil when unknown.
  private struct Picture {
    var revision: Int64
    var entries: [String: Int64]?
  }

  private enum StreamEnd {
    case aged
    case broke
    case compacted
  }

  /// Delivers until the task is cancelled or the receiver throws.
  func run(after revision: Int64) async throws {
    var picture = Picture(revision: revision, entries: nil)
    var pause = Duration.milliseconds(20)
    while !Task.isCancelled {
      let began = ContinuousClock.now
      let (end, revision, changes) = try await stream(from: picture)
      picture.revision = revision
      picture.entries = changes
      if Task.isCancelled { return }
      if end != .broke || ContinuousClock.now - began > .seconds(1) { pause = .milliseconds(20) }
      if end == .broke {
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(1))
      } else {
        try await compare(&picture, mustDeliver: end == .compacted)
      }
    }
  }

  /// Lists everything, and delivers it when it differs from what the events added up to.
  private func compare(_ picture: inout Picture, mustDeliver: Bool) async throws {
    guard let snapshot = try? await list(), snapshot.revision >= picture.revision || mustDeliver else { return }
    let listed = Dictionary(snapshot.entries.map { ($0.key, $0.modifyRevision) }) { $1 }
    // Without a picture of before, only changes that did not arrive can be told.
    let isWhole = picture.entries.map { $0 == listed } ?? listed.values.allSatisfy { $0 <= picture.revision }
    if mustDeliver || !isWhole {
      try await receive(.resynchronised(snapshot))
      picture.revision = snapshot.revision
    }
    picture.entries = listed
  }

  /// Follows one stream to its end.
  private func stream(from picture: Picture) async throws -> (StreamEnd, Int64, [String: Int64]?) {
    let progress = EtcdWatchProgress(revision: picture.revision, entries: picture.entries)
    let key = mapping.key(prefix)
    let member: (client: EtcdClient, metadata: Metadata, passOver: @Sendable () -> Void)
    do { member = try await cluster.member() } catch { return (.broke, picture.revision, picture.entries) }
    let begin = Etcdserverpb_WatchRequest.with {
      $0.createRequest = .with { create in
        create.key = key
        create.rangeEnd = EtcdMapping.rangeEnd(key)
        create.startRevision = picture.revision + 1
      }
    }
    let end: StreamEnd
    do {
      end = try await withThrowingTaskGroup(of: StreamEnd.self) { group in
        group.addTask { try await self.read(begin, member.client, member.metadata, progress) }
        group.addTask { await self.supervise(progress) }
        defer { group.cancelAll() }
        return try await group.next() ?? .broke
      }
    } catch let error as EtcdReceiverFailure {
      throw error.underlying
    } catch {
      end = .broke
    }
    if end == .broke { member.passOver() }
    let (revision, entries) = progress.picture
    return (end, revision, entries)
  }

  private func read(
    _ begin: Etcdserverpb_WatchRequest, _ client: EtcdClient, _ metadata: Metadata, _ progress: EtcdWatchProgress
  ) async throws -> StreamEnd {
    var options = CallOptions.defaults
    options.waitForReady = false
    return try await Etcdserverpb_Watch.Client(wrapping: client).watch(
      metadata: metadata, options: options,
      requestProducer: { writer in
        try await writer.write(begin)
        // The member shows that it lives by answering these.
        while !Task.isCancelled {
          try await Task.sleep(for: .seconds(1))
          try await writer.write(.with { $0.progressRequest = .init() })
        }
      },
      onResponse: { response in
        for try await message in response.messages {
          progress.heard()
          if message.compactRevision > 0 { return .compacted }
          if message.canceled { return .broke }
          try await deliver(message, progress)
        }
        return .broke
      })
  }

  private func deliver(_ message: Etcdserverpb_WatchResponse, _ progress: EtcdWatchProgress) async throws {
    let (changes, revision) = progress.take(message.events.map(mapping.change))
    guard !changes.isEmpty else { return }
    do { try await receive(.changes(changes, revision: revision)) } catch {
      throw EtcdReceiverFailure(underlying: error)
    }
  }

  /// Ends a stream that has grown old, or whose member has fallen silent.
  private func supervise(_ progress: EtcdWatchProgress) async -> StreamEnd {
    let began = ContinuousClock.now
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(250))
      if progress.silence > Self.silenceLimit { return .broke }
      if ContinuousClock.now - began > Self.streamLife { return .aged }
    }
    return .aged
  }
}

/// An error of the watch's receiver, on its way out past the repairs.
struct EtcdReceiverFailure: Error {
  let underlying: any Error
}

/// How far one stream has come.
final class EtcdWatchProgress: Sendable {
  private struct State {
    var revision: Int64
    var entries: [String: Int64]?
    var heardAt = ContinuousClock.now
  }

  private let state: Mutex<State>

  init(revision: Int64, entries: [String: Int64]?) { state = Mutex(State(revision: revision, entries: entries)) }

  var picture: (Int64, [String: Int64]?) { state.withLock { ($0.revision, $0.entries) } }
  var silence: Duration { state.withLock { ContinuousClock.now - $0.heardAt } }

  func heard() { state.withLock { $0.heardAt = .now } }

  /// The changes that are news, and the revision they lead to.
  func take(_ changes: [StoreChange]) -> ([StoreChange], Int64) {
    state.withLock { state in
      let before = state.revision
      let news = changes.filter { $0.revision > before }
      for change in news {
        state.revision = max(state.revision, change.revision)
        switch change {
        case .put(let entry): state.entries?[entry.key] = entry.modifyRevision
        case .delete(let key, _): state.entries?[key] = nil
        }
      }
      return (news, state.revision)
    }
  }
}

extension StoreChange {
  fileprivate var revision: Int64 {
    switch self {
    case .put(let entry): entry.modifyRevision
    case .delete(_, let revision): revision
    }
  }
}
