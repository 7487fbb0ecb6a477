internal import GridCore
package import NIOCore

/// What every `exec` actor of a node shares.
package struct ExecEnvironment: Sendable {
  package var processes: ProcessGuard
  package var eventLoop: any EventLoop
  /// What the programs inherit.
  package var variables: [String: String]
  /// Where a program reaches this node, asked when it starts.
  package var endpoint: @Sendable () -> String

  package init(
    processes: ProcessGuard, eventLoop: any EventLoop, variables: [String: String],
    endpoint: @escaping @Sendable () -> String
  ) {
    self.processes = processes
    self.eventLoop = eventLoop
    self.variables = variables
    self.endpoint = endpoint
  }

  /// The environment of the program behind an actor.
  func variables(for specification: ExecSpecification, _ context: ActorContext) -> [String: String] {
    let endpoint = endpoint()
    return
      variables
      .merging(specification.environment) { _, own in own }
      .merging([
        "GRIDCTL_ACTOR": context.name, "GRIDCTL_NODE": context.node, "GRIDCTL_NAMESPACE": context.namespace,
        "GRIDCTL_ENDPOINT": endpoint, "GRIDCTL_ENDPOINTS": endpoint, "GRIDCTL_FENCING_TOKEN": String(context.epoch),
      ]) { _, own in own }
  }
}

extension KindRegistry {
  /// The kind whose actors are supervised child processes.
  package mutating func registerExec(_ environment: ExecEnvironment) {
    register(
      KindDefinition(name: "exec") { request in
        guard let specification = request.command else {
          throw GridError(.usage, "kind exec needs a command", hint: "gridctl spawn exec NAME -- COMMAND [ARGUMENT...]")
        }
        switch (specification.framing, specification.oneWay) {
        case (.lines, _): return LineExecBehavior(specification, environment)
        case (.json, _): return JSONExecBehavior(specification, environment)
        }
      })
  }
}

extension ExecSpecification {
  func processCommand(_ variables: [String: String]) -> ProcessCommand {
    ProcessCommand(
      command.first ?? "", arguments: Array(command.dropFirst()), environment: variables,
      workingDirectory: workingDirectory)
  }
}
