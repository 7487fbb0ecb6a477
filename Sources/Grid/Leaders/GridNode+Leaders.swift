internal import GridCluster
internal import GridConcurrency
public import GridCore

/// A leadership that a program holds: see ``GridNode/lead(_:operation:)``.
public struct GridLeadership: Sendable {
  public let name: String
  /// The fencing token: larger than that of every earlier leader of the name. Hand it to whatever is written to, so
  /// that a stale leader can be refused there.
  public let token: Int64
  private let runtime: NodeRuntime

  init(name: String, token: Int64, runtime: NodeRuntime) {
    self.name = name
    self.token = token
    self.runtime = runtime
  }

  /// Whether the leadership certainly still holds. Look before every act; it costs nanoseconds.
  public var isValid: Bool {
    runtime.leaders[name]?.token == token && runtime.membership.isValid(at: runtime.clock.now())
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
    let runtime = try await running()
    let leadership = try await runtime.campaign(name, holder: "node \(runtime.nodeName)")
    do {
      let result = try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
          try await operation(GridLeadership(name: name, token: leadership.token, runtime: runtime))
        }
        group.addTask {
          await runtime.watchValidity(of: leadership)
          if Task.isCancelled { return nil }
          throw leadership.loss ?? GridError(.leaseLost, "the leadership of \(name) is lost")
        }
        defer { group.cancelAll() }
        while let result = try await group.next() { if let result { return result } }
        throw GridError(.cancelled, "cancelled")
      }
      runtime.giveUp(leadership)
      return result
    } catch {
      runtime.giveUp(leadership)
      throw error
    }
  }

  /// The leader of `name` as the store has it now, or nil.
  public func leader(_ name: String) async throws -> LeaderRecord? {
    try await running().membership.leaders.lookUp(name)?.record
  }
}

extension NodeRuntime {
  /// Returns when the leadership has ended, is asked back, or is no longer certain.
  func watchValidity(of leadership: Leadership) async {
    while !Task.isCancelled, !leadership.ended.isOpen, !leadership.resignRequested.isOpen {
      let remaining = membership.remainingValidity(at: clock.now())
      if remaining <= .zero { return }
      _ = await leadership.ended.wait(atMost: min(remaining, .milliseconds(100)))
    }
  }
}
