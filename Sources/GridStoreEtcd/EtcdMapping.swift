internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Between the port's words and etcd's messages. Keys get the configured prefix on the way out and lose it on the way
/// in.
struct EtcdMapping: Sendable {
  let prefix: String

  func key(_ key: String) -> Data { Data((prefix + key).utf8) }

  /// A key in the port's words; nil where it is no text, as none of ours is: another text in its place would be another
  /// key, and what comes after it another range.
  func text(_ key: Data) -> String? {
    key.starts(with: prefix.utf8) ? String(validating: key.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
  }

  /// The first key of the range of those that start with `prefix`: no key is empty.
  func rangeStart(_ prefix: String) -> Data {
    let key = key(prefix)
    return key.isEmpty ? Data([0]) : key
  }

  /// The end of the range of keys that start with `key`: its successor as a byte string; a zero byte means all.
  static func rangeEnd(_ key: Data) -> Data {
    var end = Array(key)
    while let last = end.last {
      if last < 0xFF {
        end[end.count - 1] = last + 1
        return Data(end)
      }
      end.removeLast()
    }
    return Data([0])
  }

  /// - Returns: nil where the key is none of ours.
  func entry(_ value: Etcdserverpb_KeyValue) -> StoreEntry? {
    text(value.key).map { key in
      StoreEntry(
        key: key, value: Array(value.value), createRevision: value.createRevision, modifyRevision: value.modRevision,
        lease: value.lease)
    }
  }

  /// - Returns: nil where the key is none of ours.
  func change(_ event: Etcdserverpb_Event) -> StoreChange? {
    switch event.type {
    case .delete: text(event.kv.key).map { .delete(key: $0, revision: event.kv.modRevision) }
    default: entry(event.kv).map(StoreChange.put)
    }
  }

  /// - Parameter revision: the one that was asked for; 0 for the present one.
  func page(_ answer: Etcdserverpb_RangeResponse, at revision: Int64) -> StorePage {
    StorePage(
      entries: answer.kvs.compactMap(entry), revision: revision == 0 ? answer.header.revision : revision,
      hasMore: answer.more)
  }

  /// The key to read on from when a page has keys, and none of ours, but says that there are more; else nil.
  func start(after answer: Etcdserverpb_RangeResponse, from start: Data) -> Data? {
    guard answer.more, let last = answer.kvs.last?.key, answer.kvs.allSatisfy({ text($0.key) == nil }) else {
      return nil
    }
    return last.lexicographicallyPrecedes(start) ? nil : last + [0]
  }

  func request(_ transaction: StoreTransaction) -> Etcdserverpb_TxnRequest {
    .with { request in
      request.compare = transaction.comparisons.map(comparison)
      request.success = transaction.success.map(operation)
      request.failure = transaction.failure.map(operation)
    }
  }

  func outcome(_ answer: Etcdserverpb_TxnResponse) -> StoreOutcome {
    let reads = answer.responses.compactMap { response -> StoreEntry?? in
      guard case .responseRange(let range) = response.response else { return nil }
      return .some(range.kvs.first.flatMap(entry))
    }
    return StoreOutcome(succeeded: answer.succeeded, revision: answer.header.revision, reads: reads)
  }

  private func comparison(_ comparison: StoreComparison) -> Etcdserverpb_Compare {
    .with { compare in
      compare.result = .equal
      compare.key = key(comparison.key)
      switch comparison {
      case .isAbsent:
        compare.target = .create
        compare.createRevision = 0
      case .createRevision(_, let revision):
        compare.target = .create
        compare.createRevision = revision
      case .modifyRevision(_, let revision):
        compare.target = .mod
        compare.modRevision = revision
      }
    }
  }

  private func operation(_ operation: StoreOperation) -> Etcdserverpb_RequestOp {
    .with { request in
      switch operation {
      case .put(let key, let value, let lease):
        request.requestPut = .with {
          $0.key = self.key(key)
          $0.value = Data(value)
          $0.lease = lease
        }
      case .delete(let key): request.requestDeleteRange = .with { $0.key = self.key(key) }
      case .get(let key): request.requestRange = .with { $0.key = self.key(key) }
      }
    }
  }
}

extension StoreComparison {
  /// The key that is looked at.
  var key: String {
    switch self {
    case .isAbsent(let key), .createRevision(let key, _), .modifyRevision(let key, _): key
    }
  }
}
