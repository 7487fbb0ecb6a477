package import GridCore
internal import GridRequests
package import GridSystem
package import NIOCore

/// What every `exec` actor of a node shares.
package struct ExecEnvironment: Sendable {
  package var processes: ProcessGuard
  package var eventLoop: any EventLoop
  /// What the programs inherit.
  package var variables: ProgramEnvironment
  /// Where a program reaches this node, asked when it starts.
  package var endpoint: @Sendable () -> String

  package init(
    processes: ProcessGuard, eventLoop: any EventLoop, variables: ProgramEnvironment,
    endpoint: @escaping @Sendable () -> String
  ) {
    self.processes = processes
    self.eventLoop = eventLoop
    self.variables = variables
    self.endpoint = endpoint
  }

  /// The environment of the program behind an actor.
  func variables(
    for specification: ExecSpecification, as account: SystemAccount?, _ context: ActorContext
  ) -> ProgramEnvironment {
    let endpoint = endpoint()
    let inherited = account.map(variables.belonging) ?? variables
    return inherited.merging(specification.environment).merging([
      "GRIDCTL_ACTOR": context.name, "GRIDCTL_NODE": context.node, "GRIDCTL_NAMESPACE": context.namespace,
      "GRIDCTL_ENDPOINT": endpoint, "GRIDCTL_ENDPOINTS": endpoint, "GRIDCTL_FENCING_TOKEN": String(context.epoch),
    ])
  }
}

extension KindRegistry {
  /// The kind whose actors are supervised child processes.
  package mutating func registerExec(_ environment: ExecEnvironment) {
    register(
      KindDefinition(name: SpawnRequest.execKind) { request in
        guard let specification = request.command else {
          throw GridError(.usage, "kind exec needs a command", hint: "gridctl spawn exec NAME -- COMMAND [ARGUMENT...]")
        }
        return specification.behavior(environment)
      })
  }

  /// A kind whose actors all run the same program.
  package mutating func registerProgram(
    _ name: String, _ specification: ExecSpecification, _ environment: ExecEnvironment
  ) {
    register(
      KindDefinition(name: name, restart: specification.restart) { request in
        guard request.command == nil else { throw GridError(.usage, "kind \(name) has its own command") }
        return specification.behavior(environment)
      })
  }
}

extension ExecSpecification {
  func behavior(_ environment: ExecEnvironment) -> any ActorBehavior {
    switch framing {
    case .lines: LineExecBehavior(self, environment)
    case .json: JSONExecBehavior(self, environment)
    }
  }

  /// What to start for an actor.
  ///
  /// - Throws: ``GridError/Code/usage`` when there is no such user, ``GridError/Code/refused`` when this node may not
  ///   run programs as that one.
  func processCommand(
    _ environment: ExecEnvironment, _ context: ActorContext
  ) async throws(GridError) -> ProcessCommand {
    var account: SystemAccount?
    if let user = confinement.user { account = try await SystemAccount.named(user).assumed() }
    var started = ProcessCommand(
      command.first ?? "", arguments: Array(command.dropFirst()),
      environment: environment.variables(for: self, as: account, context), workingDirectory: workingDirectory)
    started.account = account
    started.limits = confinement.orderedLimits
    started.cgroup = confinement.cgroup
    return started
  }
}
