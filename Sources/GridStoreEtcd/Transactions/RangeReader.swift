internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Reads ranges page by page, all pages at the revision of the first.
struct RangeReader: Sendable {
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
    return answer.kvs.first.flatMap(mapping.entry)
  }

  /// One page. A reading that began at a revision goes on there as long as etcd remembers it.
  func page(_ range: StoreRange) async throws(EtcdFailure) -> StorePage {
    var request = self.request(range.prefix)
    request.limit = Int64(range.limit)
    request.revision = range.revision ?? 0
    // What comes before the prefix does not widen the range.
    if let after = range.after, !after.utf8.lexicographicallyPrecedes(range.prefix.utf8) {
      request.key = mapping.key(after) + [0]
    }
    while true {
      do throws(EtcdFailure) {
        let answer = try await channel.perform(.range, request)
        mark.heard(answer.header.revision)
        if let next = mapping.start(after: answer, from: request.key) {
          request.key = next
          continue
        }
        return mapping.page(answer, at: request.revision)
      } catch {
        try request.relax(after: error)
      }
    }
  }

  /// - Parameters:
  ///   - revision: of the past; 0 reads the present, linearizably.
  ///   - capacity: keys beyond it are not read.
  /// - Returns: nil when there are more keys than that.
  /// - Throws: ``EtcdFailure/Reason/compacted`` or ``EtcdFailure/Reason/futureRevision`` for a revision that is not
  ///   there.
  func listing(prefix: String, at revision: Int64 = 0, capacity: Int) async throws(EtcdFailure) -> KeyListing? {
    var restarts = 0
    while true {
      do throws(EtcdFailure) {
        return try await keys(prefix, at: revision, capacity: capacity)
      } catch {
        guard error.reason == .compacted, revision == 0, restarts < Self.restarts else { throw error }
        restarts += 1
      }
    }
  }

  private func keys(_ prefix: String, at revision: Int64, capacity: Int) async throws(EtcdFailure) -> KeyListing? {
    var request = self.request(prefix)
    request.limit = Self.page
    request.revision = revision
    request.keysOnly = true
    var listing = KeyListing(revisions: [:], revision: revision)
    while true {
      let answer: Etcdserverpb_RangeResponse
      do throws(EtcdFailure) {
        answer = try await channel.perform(.range, request)
      } catch {
        guard error.reason == .answerTooLarge, request.limit > 1 else { throw error }
        request.limit = max(1, request.limit / 8)
        continue
      }
      mark.heard(answer.header.revision)
      if request.revision == 0 { request.revision = answer.header.revision }
      listing.revision = request.revision
      let next = listing.take(answer, from: request.key)
      if listing.revisions.count > capacity { return nil }
      guard let next else { return listing }
      request.key = next
    }
  }

  /// The revision of the store now.
  func presentRevision() async throws(EtcdFailure) -> Int64 {
    let answer = try await channel.perform(
      .range,
      .with {
        $0.key = mapping.rangeStart("")
        $0.keysOnly = true
      })
    mark.heard(answer.header.revision)
    return answer.header.revision
  }

  private func request(_ prefix: String) -> Etcdserverpb_RangeRequest {
    .with {
      $0.key = mapping.rangeStart(prefix)
      $0.rangeEnd = EtcdMapping.rangeEnd(mapping.key(prefix))
    }
  }
}

extension Etcdserverpb_RangeRequest {
  /// Asks for less after a failure that less may help against.
  ///
  /// - Throws: the failure, when nothing helps.
  fileprivate mutating func relax(after failure: EtcdFailure) throws(EtcdFailure) {
    switch failure.reason {
    // Large entries: fewer of them at a time.
    case .answerTooLarge where limit > 1: limit = max(1, limit / 8)
    // What changed since the first page is to be had from a watch.
    case .compacted where revision > 0: revision = 0
    default: throw failure
    }
  }
}
