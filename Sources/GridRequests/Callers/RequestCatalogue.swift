internal import GridCore

/// Everything that can be asked of a cluster, with the role that each needs.
///
/// The table that users read is made of it, and a test tries every role with every entry.
package enum RequestCatalogue {
  package struct Entry: Sendable {
    package var verb: String
    package var role: Role
    /// Whether it is answered by a stream that goes on.
    package var isStream: Bool

    fileprivate init(_ type: any NodeRequest.Type) {
      verb = type.verb
      role = type.role
      isStream = false
    }

    fileprivate init(_ type: any StreamRequest.Type) {
      verb = type.verb
      role = type.role
      isStream = true
    }
  }

  private static let requests: [any NodeRequest.Type] = [
    PingRequest.self, NodeInformationRequest.self, NodeStopRequest.self, LoadRequest.self, StoreRequest.self,
    NodeHealthRequest.self, HealthRequest.self, PeersRequest.self, KindsRequest.self, EventsRequest.self,
    NameCountRequest.self, BenchRequest.self, ActorsRequest.self, ActorSummariesRequest.self, ActorTopRequest.self,
    InspectRequest.self, SpawnRequest.self, StopRequest.self, RestartRequest.self, DeadLettersRequest.self,
    DeadLetterRequest.self, DeadLetterBodyRequest.self, DeadLetterHolderRequest.self, DeadLetterTalliesRequest.self,
    PurgeDeadLettersRequest.self, ReplayDeadLetterRequest.self, LeadersRequest.self, LeaderRequest.self,
    KeepLeadershipRequest.self, ResignRequest.self, LastRunRequest.self, RecordRunRequest.self,
    SingletonsRequest.self, TokenCreateRequest.self, TokensRequest.self, TokenRevokeRequest.self,
    TokenHeardRequest.self, NodeSecretRequest.self, AuditListRequest.self, AuditVerifyRequest.self,
  ]

  private static let streams: [any StreamRequest.Type] = [
    EventStreamRequest.self, DeadLetterStreamRequest.self, TraceStreamRequest.self, CampaignRequest.self,
    AuditStreamRequest.self,
  ]

  /// By verb.
  package static let all: [Entry] = (requests.map { Entry($0) } + streams.map { Entry($0) })
    .sorted { $0.verb < $1.verb }
}
