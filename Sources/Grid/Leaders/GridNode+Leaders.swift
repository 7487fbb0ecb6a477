internal import GridCluster
internal import GridConcurrency
public import GridCore

/// A leadership that a program holds: see ``GridNode/lead(_:operation:)``.
public struct GridLeadership: Sendable {
  public let name: String
  /// The fencing token: larger than that of every earlier leader of the name. Hand it to whatever is written to, so
  /// that a stale leader can be refused there.
  public let token: Int64
  private let leaderships: Leaderships

  init(name: String, token: Int64, leaderships: Leaderships) {
    self.name = name
    self.token = token
    self.leaderships = leaderships
  }

  /// Whether the leadership certainly still holds. Look before every act; it costs nanoseconds.
  public var isValid: Bool {
    leaderships.isValid(name, token: token)
  }
}

extension GridNode {
  /// Waits until this node leads under `name`, runs `operation`, and gives the leadership up when it returns.
  ///
  /// When the leadership is lost the operation's task is cancelled before another node can be elected; an operation
  /// that does not stop by then is what the fencing token is for.
  ///
  /// - Returns: what the operation returned.
  /// - Throws: what the operation threw; ``GridError/Code/leaseLost`` when the leadership was lost meanwhile;
  ///   ``GridError/Code/cancelled``.
  public func lead<Result: Sendable>(
    _ name: String, operation: @escaping @Sendable (GridLeadership) async throws -> Result
  ) async throws -> Result {
    try NameRules.validated(name, as: "leader")
    let wires = try await running()
    let leaderships = wires.actors.leaderships
    let leadership = try await leaderships.campaign(name, holder: "node \(wires.node.name)")
    do {
      let result = try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
          try await operation(GridLeadership(name: name, token: leadership.token, leaderships: leaderships))
        }
        group.addTask {
          await leaderships.watchValidity(of: leadership)
          if Task.isCancelled { return nil }
          throw leadership.loss ?? GridError(.leaseLost, "the leadership of \(name) is lost")
        }
        defer { group.cancelAll() }
        while let result = try await group.next() { if let result { return result } }
        throw GridError(.cancelled, "cancelled")
      }
      leaderships.giveUp(leadership)
      return result
    } catch {
      leaderships.giveUp(leadership)
      throw error
    }
  }

  /// The leader of `name` as the store has it now, or nil.
  public func leader(_ name: String) async throws -> LeaderRecord? {
    try await running().traffic.membership.leaders.lookUp(name)?.holder
  }
}
