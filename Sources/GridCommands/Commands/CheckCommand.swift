internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl check`
struct CheckCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", _superCommandName: "gridctl",
    abstract: "Say whether the cluster is well, for people and for monitoring.",
    discussion: """
      Looks at every node: whether it is there and a member, its round trip and mailboxes, what failed on it and what
      became dead letters lately, and whether its store answers. Ends with 0 when all is well or there are only
      warnings, and with 2 when not; with --format nagios with 0, 1, 2 or 3 as such plug-ins do.

      A bound is CRITICAL, WARNING:CRITICAL or WARNING: and is passed by what is more than it.

      Examples:
        gridctl check --peers 3
        gridctl check --max-rtt 20ms --max-mailbox 100:1000 --format nagios
        gridctl check --max-age 10s:1m
        gridctl check --max-dead-letters 10:100 --max-failing 0:5 --window 10m
        gridctl check --format prometheus >/var/lib/node_exporter/gridctl.prom
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("At least so many peers must be alive.", valueName: "count"))
  var peers: Int?
  @Option(help: ArgumentHelp("Round trip to a node.", valueName: "bound"))
  var maxRtt: String?
  @Option(help: ArgumentHelp("Messages that wait on a node.", valueName: "bound"))
  var maxMailbox: String?
  @Option(help: ArgumentHelp("Time that a message waits or is in hand, in any mailbox.", valueName: "bound"))
  var maxAge: String?
  @Option(help: ArgumentHelp("Nodes that died in the last five minutes (default: 0:).", valueName: "bound"))
  var maxDead: String?
  @Option(help: ArgumentHelp("Memberships that nodes lost in the window (default: 0:).", valueName: "bound"))
  var maxLost: String?
  @Option(help: ArgumentHelp("Messages that became dead letters in the window (default: 0:).", valueName: "bound"))
  var maxDeadLetters: String?
  @Option(help: ArgumentHelp("Dead letters dropped for lack of room, until a purge (default: 0:).", valueName: "bound"))
  var maxDropped: String?
  @Option(help: ArgumentHelp("Actors that failed in the window (default: 0:).", valueName: "bound"))
  var maxFailing: String?
  @Option(help: ArgumentHelp("Actors that ended by failing in the window (default: 0:).", valueName: "bound"))
  var maxEnded: String?
  @Option(help: ArgumentHelp("Singletons that cannot be started or do not stay up (default: 0).", valueName: "bound"))
  var maxUnstarted: String?
  @Option(help: ArgumentHelp("Log-ins refused in the window (default: 0:).", valueName: "bound"))
  var maxRefusedLogins: String?
  @Option(help: ArgumentHelp("How far back failures and dead letters count (default: 1h).", valueName: "duration"))
  var window: String?
  @Option(help: ArgumentHelp("text, nagios, prometheus or json (default: text).", valueName: "check-format"))
  var format: String?

  func run() async throws {
    guard let form = HealthReport.Form(rawValue: format ?? HealthReport.Form.text.rawValue) else {
      throw GridError(
        .usage, "unknown format \(NameRules.quoted(format ?? ""))",
        hint: HealthReport.Form.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let report: HealthReport
    do throws(GridError) {
      report = try await self.report(try limits(), form)
    } catch {
      // For monitoring, a cluster that cannot be reached is a finding, and so is a question that cannot be asked.
      if form == .text || (error.code == .usage && form != .nagios) { throw error }
      report = HealthReport(unreachable: error)
    }
    try OutputWriter.shared.output(report.text(form))
    if form == .nagios { throw ExitCode(report.status.nagiosCode) }
    if report.status == .critical || report.status == .unknown { throw ExitCode(ExitStatus.negative.rawValue) }
  }

  private func report(_ limits: HealthLimits, _ form: HealthReport.Form) async throws(GridError) -> HealthReport {
    let session = try await CommandSession(global)
    return HealthReport(try await session.request(HealthRequest(window: limits.window)), limits: limits)
  }

  private func limits() throws(GridError) -> HealthLimits {
    var limits = HealthLimits()
    limits.peers = peers
    if let maxRtt { limits.roundTrip = try .duration(maxRtt, "--max-rtt") }
    if let maxMailbox { limits.mailbox = try .count(maxMailbox, "--max-mailbox") }
    if let maxAge { limits.age = try .duration(maxAge, "--max-age") }
    if let maxDead { limits.dead = try .count(maxDead, "--max-dead") }
    if let maxLost { limits.lost = try .count(maxLost, "--max-lost") }
    if let maxDeadLetters { limits.deadLetters = try .count(maxDeadLetters, "--max-dead-letters") }
    if let maxDropped { limits.dropped = try .count(maxDropped, "--max-dropped") }
    if let maxFailing { limits.failing = try .count(maxFailing, "--max-failing") }
    if let maxEnded { limits.ended = try .count(maxEnded, "--max-ended") }
    if let maxUnstarted { limits.unstarted = try .count(maxUnstarted, "--max-unstarted") }
    if let maxRefusedLogins { limits.refused = try .count(maxRefusedLogins, "--max-refused-logins") }
    if let window { limits.window = try Duration.argument(window) }
    return limits
  }
}
