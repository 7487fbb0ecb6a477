/// An actor that runs once in the namespace, as the nodes that keep it see it together.
package struct SingletonReport: Sendable, Equatable {
  /// The actor's name; its kind has the same.
  package var name: String
  /// The nodes that would run it.
  package var keepers: [String]
  /// The node it runs on; nil while it runs nowhere.
  package var node: String?
  /// The epoch of its name: larger than that of every earlier activation.
  package var token: Int64?
  /// Since when it runs.
  package var since: CalendarTime?
  /// How often it failed in a row, on all nodes together; 0 once it has been well for a while.
  package var failures: Int
  /// Why it failed last; nil once it has been well for a while.
  package var lastFailure: String?
  /// When it is started again at the earliest; nil while it runs.
  package var nextStart: CalendarTime?

  package init(
    name: String, keepers: [String], node: String? = nil, token: Int64? = nil, since: CalendarTime? = nil,
    failures: Int = 0, lastFailure: String? = nil, nextStart: CalendarTime? = nil
  ) {
    self.name = name
    self.keepers = keepers
    self.node = node
    self.token = token
    self.since = since
    self.failures = failures
    self.lastFailure = lastFailure
    self.nextStart = nextStart
  }

  /// The members of a leader, and what only a singleton has.
  package var json: JSONValue {
    [
      "name": .string(name), "type": "singleton", "node": .optional(node), "holder": "singleton",
      "token": token.map { .integer($0) } ?? .null, "since": .optional(since?.rfc3339),
      "sinceMilliseconds": Self.milliseconds(since), "keepers": .array(keepers.map { .string($0) }),
      "failures": .optional(failures), "lastFailure": .optional(lastFailure),
      "nextStart": .optional(nextStart?.rfc3339), "nextStartMilliseconds": Self.milliseconds(nextStart),
    ]
  }

  private static func milliseconds(_ time: CalendarTime?) -> JSONValue {
    time.map { .integer($0.millisecondsSince1970) } ?? .null
  }

  /// - Throws: ``GridError/Code/undecodable`` when it has no name.
  package init(json: JSONValue) throws(GridError) {
    guard let name = json["name"]?.stringValue else {
      throw GridError(.undecodable, "a report of a singleton lacks its name")
    }
    func time(_ field: String) -> CalendarTime? {
      (json[field]?.integerValue).map { CalendarTime(millisecondsSince1970: $0) }
    }
    self.init(
      name: name, keepers: (json["keepers"]?.arrayValue ?? []).compactMap(\.stringValue),
      node: json["node"]?.stringValue, token: json["token"]?.integerValue, since: time("sinceMilliseconds"),
      failures: Int(clamping: json["failures"]?.integerValue ?? 0), lastFailure: json["lastFailure"]?.stringValue,
      nextStart: time("nextStartMilliseconds"))
  }

  /// What all nodes say of each actor, in one report by name.
  package static func merged(_ reports: [SingletonReport]) -> [SingletonReport] {
    var merged: [String: SingletonReport] = [:]
    for report in reports {
      merged[report.name] = merged[report.name].map { $0.merged(with: report) } ?? report
    }
    return merged.values.sorted { $0.name < $1.name }
  }

  private func merged(with other: SingletonReport) -> SingletonReport {
    // Who has heard of the later activation knows more; of those the node that runs it knows since when.
    let isNewer = (other.token ?? .min, other.since == nil ? 0 : 1) > (token ?? .min, since == nil ? 0 : 1)
    var result = isNewer ? other : self
    result.keepers = Set(keepers + other.keepers).sorted()
    result.lastFailure = other.failures > failures ? other.lastFailure : lastFailure
    result.failures = Int(clamping: Int64(failures).addingClamped(Int64(other.failures)))
    result.nextStart = result.node == nil ? [nextStart, other.nextStart].compactMap { $0 }.min() : nil
    return result
  }
}
