internal import GridCluster
internal import GridCore

/// The last runs that ended well, for `leader run --once-per`.
extension NodeRuntime {
  /// The last run under a leadership that ended well, or null.
  func lastRun(_ arguments: JSONValue) async throws -> JSONValue {
    let name = try NameRules.validated(try arguments.required("name"), as: "leader")
    return ["run": try await membership.leaders.lastRun(name)?.json ?? .null]
  }

  /// Records that a run has ended well, as long as who says so leads.
  ///
  /// The store decides with the token: a leadership that was lost meanwhile writes nothing.
  func recordRun(_ arguments: JSONValue) async throws -> JSONValue {
    let name = try arguments.required("name")
    let lost = GridError(.leaseLost, "the leadership of \(name) is lost")
    guard let leadership = leaders[name], leadership.token == arguments["token"]?.integerValue else { throw lost }
    guard let started = arguments["startedMilliseconds"]?.integerValue else {
      throw GridError(.undecodable, "the request lacks startedMilliseconds")
    }
    let run = RunRecord(
      name: name, node: nodeName, holder: leadership.holder,
      startedAt: CalendarTime(millisecondsSince1970: started), endedAt: clock.date(), token: leadership.token)
    guard try await membership.leaders.record(run) else { throw lost }
    return ["name": .string(name), "node": .string(nodeName)]
  }
}
