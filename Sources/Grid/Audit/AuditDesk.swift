internal import GridCluster
internal import GridCore
internal import GridRequests
internal import GridSecurity

/// Tells what the audit logs of all nodes hold, those of nodes included that are gone and have left theirs here.
struct AuditDesk: Sendable {
  /// How long nodes may take to look at their files.
  private static let patience = Duration.seconds(50)

  let node: NodeSelf
  let audit: AuditTrail
  let membership: Membership
  let calls: ClusterCalls

  private var snapshots: [AuditSnapshot] {
    audit.log?.snapshots(without: Set(membership.peers.map(\.name))) ?? []
  }

  func list(_ request: AuditListRequest, _ call: RequestCall) async -> ListAnswer<AuditRecord> {
    let pages = snapshots.map { snapshot in
      ListPage(
        Self.items(AuditRecords(snapshot), request.filter, call.page), within: call.page.mostBytes,
        limit: call.page.mostItems)
    }
    return await calls.list(request, own: pages, call)
  }

  /// The records that match, as they are read.
  private static func items(
    _ records: AuditRecords, _ filter: AuditFilter, _ page: PageRequest
  ) -> some Sequence<ListPage.Item> {
    let since = filter.since?.millisecondsSince1970 ?? .min
    // The order of no record is less than its time, nor that of any before it.
    return records.lazy.prefix { $0.order >= since }.filter(filter.matches).map { ListPage.Item($0) }
      .filter { page.wants($0.key, AuditListRequest.order) }
  }

  func verify(_ request: AuditVerifyRequest, _ call: RequestCall) async -> AuditVerdicts {
    var answer = AuditVerdicts()
    async let gathered: ClusterCalls.Gathered<AuditVerdicts>? =
      call.isLocal ? nil : calls.gather(request, call, work: Self.patience)
    for snapshot in snapshots { answer.verdicts.append(await snapshot.verdict()) }
    if let gathered = await gathered {
      answer.verdicts += gathered.answers.flatMap(\.answer.verdicts)
      answer.missing = gathered.missing
    }
    // That of a node which is gone may lie where several look.
    var known: Set<String> = []
    answer.verdicts = answer.verdicts.sorted { ($0.isWhole ? 1 : 0, $0.node) < ($1.isWhole ? 1 : 0, $1.node) }
      .filter { known.insert($0.node).inserted }.sorted { $0.node < $1.node }
    return answer
  }

  func follow(_ request: AuditStreamRequest, _ stream: ClusterStream) {
    let filter = request.filter
    let number = audit.subscribe { record in
      if filter.matches(record) { stream.send(record.json) }
    }
    stream.onEnd { [audit] in audit.unsubscribe(number) }
  }
}
