internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Reads ranges page by page, all pages at the revision of the first.
struct RangeReader: Sendable {
  /// The keys of a range and the revision of the last change of each.
  struct Listing: Sendable, Equatable {
    var revisions: [Data: Int64]
    var revision: Int64
  }

  let channel: EtcdChannel
  let mapping: EtcdMapping
  let mark: RevisionMark

  /// Entries of one page.
  private static let page: Int64 = 1000
  /// How often a reading begins again because its revision was compacted under it.
  private static let restarts = 5

  func entry(_ key: String) async throws(EtcdFailure) -> StoreEntry? {
    let key = mapping.key(key)
    let answer = try await channel.perform(.range, .with { $0.key = key })
    mark.heard(answer.header.revision)
    return answer.kvs.first.map(mapping.entry)
  }

  func snapshot(prefix: String) async throws(EtcdFailure) -> StoreSnapshot {
    var entries: [StoreEntry] = []
    let revision = try await read(prefix, at: 0, keysOnly: false) { page, isFirst in
      if isFirst { entries = [] }
      entries += page.map(mapping.entry)
    }
    return StoreSnapshot(entries: entries, revision: revision)
  }

  /// - Parameter revision: of the past; 0 reads the present, linearizably.
  /// - Throws: ``EtcdFailure/Reason/compacted`` or ``EtcdFailure/Reason/futureRevision`` for a revision that is not
  ///   there.
  func listing(prefix: String, at revision: Int64 = 0) async throws(EtcdFailure) -> Listing {
    var revisions: [Data: Int64] = [:]
    let read = try await read(prefix, at: revision, keysOnly: true) { page, isFirst in
      if isFirst { revisions = [:] }
      for value in page { revisions[value.key] = value.modRevision }
    }
    return Listing(revisions: revisions, revision: revision == 0 ? read : revision)
  }

  /// - Returns: the revision that was read.
  private func read(
    _ prefix: String, at revision: Int64, keysOnly: Bool,
    _ take: (_ page: [Etcdserverpb_KeyValue], _ isFirst: Bool) -> Void
  ) async throws(EtcdFailure) -> Int64 {
    var restarts = 0
    while true {
      do throws(EtcdFailure) {
        return try await pages(prefix, at: revision, keysOnly: keysOnly, take)
      } catch {
        guard error.reason == .compacted, revision == 0, restarts < Self.restarts else { throw error }
        restarts += 1
      }
    }
  }

  private func pages(
    _ prefix: String, at revision: Int64, keysOnly: Bool,
    _ take: (_ page: [Etcdserverpb_KeyValue], _ isFirst: Bool) -> Void
  ) async throws(EtcdFailure) -> Int64 {
    var request = Etcdserverpb_RangeRequest()
    request.key = mapping.rangeStart(prefix)
    request.rangeEnd = EtcdMapping.rangeEnd(mapping.key(prefix))
    request.limit = Self.page
    request.revision = revision
    request.keysOnly = keysOnly
    var isFirst = true
    while true {
      let answer: Etcdserverpb_RangeResponse
      do throws(EtcdFailure) {
        answer = try await channel.perform(.range, request)
      } catch {
        // Large entries: fewer of them at a time.
        guard error.reason == .answerTooLarge, request.limit > 1 else { throw error }
        request.limit = max(1, request.limit / 8)
        continue
      }
      mark.heard(answer.header.revision)
      if request.revision == 0 { request.revision = answer.header.revision }
      take(answer.kvs, isFirst)
      isFirst = false
      guard answer.more, let last = answer.kvs.last else { return request.revision }
      request.key = last.key + [0]
    }
  }
}
