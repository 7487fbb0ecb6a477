internal import ArgumentParser
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// `gridctl node`
struct NodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "Start, look at and stop nodes.",
    subcommands: [NodeStartCommand.self, NodeJoinCommand.self, Info.self, Ping.self, Stop.self])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  struct Info: GridCommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Show one node.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The node; without it the one that answers.")
    var node: NodeArgument?

    func run() async throws {
      let name = try node?.validated()
      let session = try await CommandSession(global)
      try session.renderer.object(
        try await session.json(NodeInformationRequest(), to: name), kind: "NodeInfo", noun: "node")
    }
  }

  struct Ping: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "ping", abstract: "Measure the round trip to a node.",
      discussion: """
        Examples:
          gridctl node ping
          gridctl node ping n2 -c 5 -i 1s
          gridctl node ping --all
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The node; without it the one that answers.")
    var node: NodeArgument?
    @Flag(help: "Every node of the cluster.")
    var all = false
    @Option(name: [.customShort("c"), .long], help: ArgumentHelp("So many times.", valueName: "count"))
    var count: Int = 1
    @Option(name: [.customShort("i"), .long], help: ArgumentHelp("Pause between.", valueName: "duration"))
    var interval: String = "1s"

    static let description = ListDescription(
      kind: "PingList", noun: "node",
      columns: [
        Column("NODE", fit: .middle(12), priority: ColumnPriority.name, field: "name"),
        .duration("RTT", seconds: "rttSeconds"),
      ])

    func run() async throws {
      let pause = try Duration.argument(interval)
      let name = try node?.validated()
      let session = try await CommandSession(global)
      try session.renderer.streamHeader(Self.description)
      for round in 0..<max(1, count) {
        if round > 0 { try await session.cluster.timers.pause(for: pause) }
        if all {
          try await pingAll(session)
        } else {
          let began = session.cluster.timers.now()
          let answer = try await session.request(PingRequest(), to: name)
          let seconds = (session.cluster.timers.now() - began).inSeconds
          try session.renderer.record(["name": .string(answer.node), "rttSeconds": .number(seconds)], Self.description)
        }
      }
    }

    private func pingAll(_ session: CommandSession) async throws {
      let began = session.cluster.timers.now()
      let list = try await session.items(PeersRequest())
      let seconds = (session.cluster.timers.now() - began).inSeconds
      for peer in try list.items() where peer.status == .alive {
        let roundTrip = peer.isSelf ? seconds : peer.roundTripSeconds
        try session.renderer.record(["name": .string(peer.name), "rttSeconds": .optional(roundTrip)], Self.description)
      }
      try session.warnOfMissing(list.missing)
    }
  }
}

/// A node on the command line: `NAME`, `node/NAME` or `peer/NAME`.
struct NodeArgument: ExpressibleByArgument, Sendable {
  let text: String

  init(argument: String) {
    text = ["node/", "peer/"].reduce(argument) { $0.hasPrefix($1) ? String($0.dropFirst($1.count)) : $0 }
  }

  /// - Throws: ``GridError/Code/usage`` when it is no name.
  func validated() throws(GridError) -> String { try NameRules.validated(text, as: "node") }
}
