package import GridCore

/// Who leads.
package struct LeaderReport: FieldCoded, Equatable {
  package var name = ""
  package var node = ""
  package var holder = ""
  package var token: Int64 = 0
  package var since = ""

  package init() {}

  package init(_ record: LeaderRecord, token: Int64) {
    name = record.name
    node = record.node
    holder = record.holder
    since = record.since.rfc3339
    self.token = token
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("node", &node)
    try fields.value("holder", &holder)
    try fields.value("token", &token)
    try fields.value("since", &since)
    fields.shown("type", .string(LeadershipReport.leaderType))
  }
}

/// What holds something that only one may hold: a leader, or an actor of a kind of which there is one in the cluster.
package enum LeadershipReport: ListItem, Equatable {
  case leader(LeaderReport)
  case singleton(SingletonReport)

  static let leaderType = "leader"

  package init(json: JSONValue) throws(GridError) {
    if json.text("type") == "singleton" {
      self = .singleton(try SingletonReport(json: json))
    } else {
      self = .leader(try LeaderReport(json: json))
    }
  }

  package var json: JSONValue {
    switch self {
    case .leader(let report): report.json
    case .singleton(let report): report.json
    }
  }

  /// Of an item as it travels.
  package static func isSingleton(_ json: JSONValue) -> Bool { json.text("type") == "singleton" }

  package var name: String {
    switch self {
    case .leader(let report): report.name
    case .singleton(let report): report.name
    }
  }

  package var node: String? {
    switch self {
    case .leader(let report): report.node
    case .singleton(let report): report.node
    }
  }

  // A leadership and an actor may have the same name.
  package static func key(of item: JSONValue) -> String { "\(item.name) \(item.text("type"))" }
}

package struct LeaseRemainder: FieldCoded, Equatable {
  package var remaining = Duration.zero

  package init() {}
  package init(_ remaining: Duration) { self.remaining = max(.zero, remaining) }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.microseconds("remainingMicroseconds", &remaining)
  }
}

package struct ResignedLeadership: FieldCoded, Equatable {
  package var name = ""
  package var node = ""
  package var token: Int64 = 0

  package init() {}

  package init(name: String, node: String, token: Int64) {
    self.name = name
    self.node = node
    self.token = token
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("node", &node)
    try fields.value("token", &token)
  }
}

package struct LastRun: FieldCoded, Equatable {
  package var run: RunRecord?

  package init() {}
  package init(_ run: RunRecord?) { self.run = run }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    var json = run?.json
    try fields.nullable("run", &json)
    if fields.isReading { run = try json.map { json throws(GridError) in try RunRecord(json: json) } }
  }
}
