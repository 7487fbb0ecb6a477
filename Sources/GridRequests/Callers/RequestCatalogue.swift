internal import GridCore

/// Everything that can be asked of a cluster, with the role that each needs.
///
/// The table that users read is made of it, and a test tries every role with every entry.
package enum RequestCatalogue {
  /// What a role is good for.
  package enum Permission: String, Sendable {
    case yes
    case no
    /// For a caller who was granted it beside the role.
    case granted
    /// For a caller on the node's own machine, as long as the node does not allow it to others.
    case here
  }

  package struct Entry: Sendable {
    package var verb: String
    package var role: Role
    /// Whether it is answered by a stream that goes on.
    package var isStream: Bool
    private var permissions: [Role: Permission]

    fileprivate init(_ type: any NodeRequest.Type) {
      verb = type.verb
      role = type.role
      isStream = false
      let request = type.init()
      permissions = Self.permissions(needing: role) { request.objection(to: $0, AccessRules()) == nil }
    }

    fileprivate init(_ type: any StreamRequest.Type) {
      verb = type.verb
      role = type.role
      isStream = true
      let request = type.init()
      permissions = Self.permissions(needing: role) { request.objection(to: $0, AccessRules()) == nil }
    }

    /// What that role is good for, with nothing beside it.
    package func permission(of role: Role) -> Permission { permissions[role] ?? .no }

    private static func permissions(needing least: Role, _ isAllowed: (Caller) -> Bool) -> [Role: Permission] {
      var permissions: [Role: Permission] = [:]
      for role in Role.allCases where role >= least {
        let isYes = isAllowed(Caller(name: "", role: role, source: .certificate))
        let isHere = isAllowed(Caller(name: "", role: role, source: .certificate, isHere: true))
        permissions[role] = isYes ? .yes : isHere ? .here : .granted
      }
      return permissions
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
