internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Between the port's words and etcd's messages. Keys get the configured prefix on the way out and lose it on the way
/// in.
struct EtcdMapping: Sendable {
  let prefix: String

  func key(_ key: String) -> Data { Data((prefix + key).utf8) }

  func text(_ key: Data) -> String { String(decoding: key.dropFirst(prefix.utf8.count), as: UTF8.self) }

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

  func entry(_ value: Etcdserverpb_KeyValue) -> StoreEntry {
    StoreEntry(
      key: text(value.key), value: Array(value.value), createRevision: value.createRevision,
      modifyRevision: value.modRevision, lease: value.lease)
  }

  func change(_ event: Etcdserverpb_Event) -> StoreChange {
    switch event.type {
    case .delete: .delete(key: text(event.kv.key), revision: event.kv.modRevision)
    default: .put(entry(event.kv))
    }
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
      return .some(range.kvs.first.map(entry))
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
