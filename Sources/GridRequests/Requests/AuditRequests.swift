package import GridCore

/// What the audit logs of all nodes hold, the newest first.
package struct AuditListRequest: ListRequest {
  package typealias Item = AuditRecord
  package static let verb = "audit.list"
  package static let scope = RequestScope.everyNode
  package static let role = Role.operator
  package static let isAudited = false
  package static let order = ListPage.Order.descending
  package var effect: RequestEffect { .reading }

  package var filter = AuditFilter()

  package init() {}
  package init(_ filter: AuditFilter) { self.filter = filter }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&filter) }
}

/// Whether the chains of all nodes are whole, each looked at where it lies.
package struct AuditVerifyRequest: NodeRequest {
  package typealias Answer = AuditVerdicts
  package static let verb = "audit.verify"
  package static let scope = RequestScope.everyNode
  package static let role = Role.operator
  package static let isAudited = false
  package var effect: RequestEffect { .reading }

  package init() {}
}

/// The audit records of all nodes from now on.
package struct AuditStreamRequest: StreamRequest {
  package static let verb = "audit.tail"
  package static let role = Role.operator
  package static let isAudited = false

  package var filter = AuditFilter()

  package init() {}
  package init(_ filter: AuditFilter) { self.filter = filter }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.inline(&filter) }

  package static func item(_ json: JSONValue) throws(GridError) -> AuditRecord { try AuditRecord(json: json) }
}
