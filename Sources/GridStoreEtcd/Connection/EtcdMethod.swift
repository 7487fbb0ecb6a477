internal import GRPCCore
internal import SwiftProtobuf

/// One method of etcd's services, with the types it takes and gives.
struct EtcdMethod<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>: Sendable {
  let descriptor: MethodDescriptor
  /// Whether carrying it out twice does no more than once.
  let isRepeatable: Bool

  fileprivate init(_ service: String, _ method: String, isRepeatable: Bool = true) {
    descriptor = MethodDescriptor(fullyQualifiedService: "etcdserverpb." + service, method: method)
    self.isRepeatable = isRepeatable
  }
}

extension EtcdMethod where Request == Etcdserverpb_RangeRequest, Response == Etcdserverpb_RangeResponse {
  static var range: Self { Self("KV", "Range") }
}

extension EtcdMethod where Request == Etcdserverpb_TxnRequest, Response == Etcdserverpb_TxnResponse {
  static var transaction: Self { Self("KV", "Txn", isRepeatable: false) }
  /// A transaction that reads only.
  static var reading: Self { Self("KV", "Txn") }
}

extension EtcdMethod where Request == Etcdserverpb_CompactionRequest, Response == Etcdserverpb_CompactionResponse {
  static var compact: Self { Self("KV", "Compact") }
}

extension EtcdMethod where Request == Etcdserverpb_WatchRequest, Response == Etcdserverpb_WatchResponse {
  static var watch: Self { Self("Watch", "Watch") }
}

extension EtcdMethod where Request == Etcdserverpb_LeaseGrantRequest, Response == Etcdserverpb_LeaseGrantResponse {
  /// A grant whose answer was lost ends by itself: nobody knows its number.
  static var grant: Self { Self("Lease", "LeaseGrant") }
}

extension EtcdMethod where Request == Etcdserverpb_LeaseRevokeRequest, Response == Etcdserverpb_LeaseRevokeResponse {
  static var revoke: Self { Self("Lease", "LeaseRevoke") }
}

extension EtcdMethod
where Request == Etcdserverpb_LeaseKeepAliveRequest, Response == Etcdserverpb_LeaseKeepAliveResponse {
  static var keepAlive: Self { Self("Lease", "LeaseKeepAlive") }
}

extension EtcdMethod
where Request == Etcdserverpb_LeaseTimeToLiveRequest, Response == Etcdserverpb_LeaseTimeToLiveResponse {
  static var timeToLive: Self { Self("Lease", "LeaseTimeToLive") }
}

extension EtcdMethod where Request == Etcdserverpb_StatusRequest, Response == Etcdserverpb_StatusResponse {
  static var status: Self { Self("Maintenance", "Status") }
}

extension EtcdMethod where Request == Etcdserverpb_AuthenticateRequest, Response == Etcdserverpb_AuthenticateResponse {
  static var authenticate: Self { Self("Auth", "Authenticate") }
}
