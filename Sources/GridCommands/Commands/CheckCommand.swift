internal import ArgumentParser
internal import Grid
internal import GridClient
internal import GridCore

/// `gridctl check`
struct CheckCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", _superCommandName: "gridctl",
    abstract: "Say whether the cluster is well, for people and for monitoring.",
    discussion: """
      Looks at every peer, its round trip and its mailboxes. Ends with 0 when all is well and 2 when not; with --format
      nagios with 0, 1, 2 or 3 as such plug-ins do.

      Examples:
        gridctl check --peers 3
        gridctl check --max-rtt 20ms --max-mailbox 1000 --format nagios
        gridctl check --format prometheus >/var/lib/node_exporter/gridctl.prom
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("At least so many peers must be alive.", valueName: "count"))
  var peers: Int?
  @Option(help: ArgumentHelp("No round trip may take longer.", valueName: "duration"))
  var maxRtt: String?
  @Option(help: ArgumentHelp("No node may have more messages waiting.", valueName: "count"))
  var maxMailbox: Int?
  @Option(help: ArgumentHelp("text, nagios, prometheus or json (default: text).", valueName: "check-format"))
  var format: String = "text"

  func run() async throws {
    guard let form = HealthReport.Form(rawValue: format) else {
      throw GridError(
        .usage, "unknown format \(NameRules.quoted(format))",
        hint: HealthReport.Form.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let limits = HealthLimits(
      peers: peers, roundTrip: try maxRtt.map { text throws(GridError) in try Duration.argument(text) },
      mailbox: maxMailbox)
    let report = try await report(form, limits)
    try OutputWriter.shared.output(report.text(form))
    if form == .nagios { throw ExitCode(report.status.nagiosCode) }
    if report.status == .critical { throw ExitCode(ExitStatus.negative.rawValue) }
  }

  /// For monitoring, a cluster that cannot be reached is a finding, not a failure of the command.
  private func report(_ form: HealthReport.Form, _ limits: HealthLimits) async throws(GridError) -> HealthReport {
    do throws(GridError) {
      let session = try await CommandSession(global)
      let peers = try await session.items("peers").items
      let store: Result<JSONValue, GridError>
      do throws(GridError) { store = .success(try await session.request("store")) } catch { store = .failure(error) }
      return HealthReport(peers: peers, store: store, limits: limits)
    } catch {
      if form == .text || error.code == .usage { throw error }
      return HealthReport(unreachable: error)
    }
  }
}
