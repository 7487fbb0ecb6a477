internal import FoundationEssentials
internal import GridCore
internal import GridSystem
internal import SwiftProtobuf
internal import Synchronization

/// One watch: streams one after another, each from where the one before it came to, and a gap where changes cannot be
/// had any more.
///
/// Etcd 3.4 loses, repeats and rewinds events around compactions and leader changes. So events that are not news are
/// dropped, and now and then a reading of all keys is compared with what the events added up to. Where there are too
/// many keys for that, changes count as missed instead: whoever remembers something of so many asks again.
final class EtcdWatch: Sendable {
  enum StreamEnd: Sendable {
    /// The next member may do better.
    case broken
    /// Changes are missing and cannot be had.
    case mustResynchronise
    case refused(GridError)
  }

  struct State {
    var mirror: WatchMirror
    var heardAt: MonotonicTime
    var verifyAt: MonotonicTime
    /// Etcd denied access last time: an old token looks like that as well, once.
    var wasDenied = false
  }

  let channel: EtcdChannel
  let reader: RangeReader
  let prefix: String
  let clock: any GridClock
  let feed = WatchFeed()
  let state: Mutex<State>

  init(channel: EtcdChannel, reader: RangeReader, prefix: String, after revision: Int64, clock: any GridClock) {
    self.channel = channel
    self.reader = reader
    self.prefix = prefix
    self.clock = clock
    let now = clock.now()
    state = Mutex(
      State(
        mirror: WatchMirror(revision: revision), heardAt: now,
        verifyAt: now + channel.configuration.verificationInterval))
  }

  /// Delivers until the task is cancelled, the store closes, or the receiver throws.
  ///
  /// - Parameter gate: counts the streams, not the receiver: the store can close though that takes its time.
  func run(_ gate: CallGate, _ receive: @escaping @Sendable (WatchEvent) async throws -> Void) async throws {
    try gate.enter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: channel.executor) {
        await self.follow()
        gate.leave()
      }
      do {
        while let event = try await feed.next() { try await receive(event) }
        feed.end(nil)
        group.cancelAll()
      } catch {
        feed.end(nil)
        group.cancelAll()
        throw error
      }
    }
  }

  // MARK: Streams

  private func follow() async {
    var pause = Duration.milliseconds(20)
    var end = await begin()
    while !Task.isCancelled, !feed.isEnded {
      switch end {
      case .broken:
        await channel.thread.sleep(pause)
        pause = min(pause * 2, .seconds(1))
      case .mustResynchronise:
        if let failure = await resynchronise(), !failure.isWorthAnotherAttempt { return feed.end(failure.error) }
      case .refused(let error): return feed.end(error)
      case nil: break
      }
      if Task.isCancelled || feed.isEnded { return }
      let began = clock.now()
      end = await stream()
      if clock.now() - began > .seconds(2) { pause = .milliseconds(20) }
    }
  }

  /// Learns which keys were there at the revision that the watch begins after.
  private func begin() async -> StreamEnd? {
    let revision = state.withLock { $0.mirror.revision }
    guard revision > 0 else { return nil }
    while !Task.isCancelled, !feed.isEnded {
      do throws(EtcdFailure) {
        let listing = try await reader.listing(prefix: prefix, at: revision, capacity: WatchMirror.capacity)
        state.withLock { $0.mirror.reset(listing, at: revision) }
        return nil
      } catch {
        switch error.reason {
        case .compacted, .futureRevision: return .mustResynchronise
        case _ where error.isWorthAnotherAttempt: await channel.thread.sleep(.milliseconds(200))
        default: return .refused(error.error)
        }
      }
    }
    return nil
  }

  /// - Returns: why it could not be done now; nil when it is done.
  private func resynchronise() async -> EtcdFailure? {
    do throws(EtcdFailure) {
      let listing = try await reader.listing(prefix: prefix, capacity: WatchMirror.capacity)
      let revision = if let listing { listing.revision } else { try await reader.presentRevision() }
      state.withLock { state in
        state.mirror.reset(listing, at: revision)
        state.verifyAt = clock.now() + channel.configuration.verificationInterval
      }
      await feed.send(.gap(after: revision))
      return nil
    } catch {
      if error.isWorthAnotherAttempt { await channel.thread.sleep(.milliseconds(200)) }
      return error
    }
  }

  /// Follows one stream to its end.
  private func stream() async -> StreamEnd? {
    let connection: EndpointConnection
    do throws(EtcdFailure) { connection = try channel.enter() } catch { return .refused(error.error) }
    defer { connection.leave() }
    state.withLock { $0.heardAt = clock.now() }
    let end = await withTaskGroup(of: StreamEnd?.self) { group in
      group.addTask { await self.read(connection) }
      group.addTask { await self.noticeSilence() }
      group.addTask { await self.verifyRepeatedly() }
      let end = await group.next() ?? nil
      group.cancelAll()
      return end
    }
    if case .broken = end { channel.leave(connection) }
    return end
  }

  // MARK: Supervision

  /// How often the member is asked for a sign of life, and how long it may take.
  static let progressInterval = Duration.seconds(1)
  private static let silenceLimit = Duration.seconds(3)

  private func noticeSilence() async -> StreamEnd? {
    while !Task.isCancelled {
      await channel.thread.sleep(.milliseconds(250))
      if feed.isEnded { return nil }
      // While the receiver is slow nothing is read, and nothing can be heard.
      if !feed.isEmpty { state.withLock { $0.heardAt = clock.now() } }
      if clock.now() - state.withLock({ $0.heardAt }) > Self.silenceLimit { return .broken }
    }
    return nil
  }

  private func verifyRepeatedly() async -> StreamEnd? {
    while !Task.isCancelled {
      // In short naps, since it may become due earlier: when a member turns out to be behind what it has said.
      let rest = state.withLock { $0.verifyAt } - clock.now()
      if rest > .zero {
        await channel.thread.sleep(max(.milliseconds(10), min(rest, .milliseconds(250))))
        continue
      }
      // What is missing must be missing twice: it may have been on its way.
      if await isMissingChanges(), await isMissingChanges() { return .mustResynchronise }
      state.withLock { $0.verifyAt = clock.now() + channel.configuration.verificationInterval }
    }
    return nil
  }

  /// How long a change that is in a reading may take to come along the stream.
  private static let grace = Duration.seconds(2)

  private func isMissingChanges() async -> Bool {
    let (delivered, isComparable) = state.withLock { state in
      state.mirror.beginComparison()
      return (state.mirror.revision, state.mirror.isComparable)
    }
    defer { state.withLock { $0.mirror.endComparison() } }
    // What cannot be compared counts as missed.
    guard isComparable else { return true }
    let listing: KeyListing
    do throws(EtcdFailure) {
      guard let found = try await reader.listing(prefix: prefix, capacity: WatchMirror.capacity) else { return true }
      listing = found
    } catch { return false }
    // A store that is older than what it has said was restored from a copy.
    if listing.revision < delivered { return true }
    await channel.thread.sleep(Self.grace)
    guard !Task.isCancelled, feed.isEmpty else { return false }
    return state.withLock { $0.mirror.misses(listing) }
  }
}
