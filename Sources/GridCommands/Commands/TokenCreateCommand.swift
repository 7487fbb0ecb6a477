internal import ArgumentParser
internal import Glibc
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSecurity

/// `gridctl token create`
struct TokenCreateCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a token, and show it once.",
    discussion: """
      A viewer may look: lists, events, dead letters and traces, of these the bodies only with --bodies. An operator may
      change what runs; programs of choice and the end of a node are for the machine of the node, unless it says
      otherwise. Nobody gives more than they have. With role node it lets a new machine have the secret of the cluster,
      and nothing else (see: gridctl node join); that is for the user of a node, on its machine, and for whoever has
      the secret.

      The token alone is written to standard output, or with --out to a new file that nobody else reads. A token that is
      good for one connection (--single-use) is of no use to a session, which may need another one.

      Examples:
        gridctl token create --role viewer --expires 8h --out colleague.token
        gridctl token create --role operator --comment 'the deploy job' >deploy.token
        gridctl token create --role node --single-use --expires 1h --out join.token
      """)

  /// What a token lets do.
  enum RoleArgument: String, ExpressibleByArgument, CaseIterable {
    case viewer, `operator`, node

    var role: Role {
      switch self {
      case .viewer: .viewer
      case .operator: .operator
      case .node: .node
      }
    }
  }

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("viewer, operator, or node for a new machine.", valueName: "role"))
  var role = RoleArgument.viewer
  @Flag(help: "A viewer may read the bodies of dead letters and traces.")
  var bodies = false
  @Option(help: ArgumentHelp("How long it is good.", valueName: "duration"))
  var expires = "24h"
  @Flag(help: "Good for one connection.")
  var singleUse = false
  @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
  var comment: String?
  @Option(help: ArgumentHelp("A new file that gets the token, instead of standard output.", valueName: "file"))
  var out: String?

  func run() async throws {
    let token = HeldToken()
    let request = try request(for: token)
    let settings = try Settings(global)
    guard out != nil || settings.format.isTable || settings.format == .name || settings.format == .tsv else {
      throw GridError(
        .usage, "a token is shown as it is, and stands in no document", hint: "name a file for it: --out FILE")
    }
    let session = try await CommandSession(global)
    if let out { try PrivateFile.make(out, with: Array("\(token.text)\n".utf8)) }
    let answer: JSONValue
    do throws(GridError) {
      answer = try await session.json(request)
    } catch {
      if let out { unlink(out) }
      throw error
    }
    try show(token, answer, session)
    try session.warnOfMissing(try ChangedToken(json: answer).missing)
  }

  private func request(for token: HeldToken) throws(GridError) -> TokenCreateRequest {
    if bodies, role == .node {
      throw GridError(.usage, "--bodies is for a viewer", hint: "an operator reads bodies, and a node needs none")
    }
    var request = TokenCreateRequest()
    request.identifier = token.identifier
    (request.storedKey, request.serverKey) = token.keys
    request.tokenRole = role.role
    request.readsBodies = bodies
    request.isSingleUse = singleUse
    request.lifetime = try Duration.argument(expires)
    request.comment = comment ?? ""
    return request
  }

  private func show(_ token: HeldToken, _ answer: JSONValue, _ session: CommandSession) throws {
    let report = try ChangedToken(json: answer).token
    let what = "token \(report.identifier) (\(report.role.rawValue), until \(report.expiresAt))"
    guard let out else {
      // Before the token, which whoever reads on takes for the last line.
      if !session.settings.isQuiet { session.writer.error("\(what): it is shown this once") }
      return try session.writer.output(token.text + "\n")
    }
    switch session.renderer.format {
    case .table, .wide:
      session.renderer.note(answer.without("missing"))
      try session.writer.output("\(what) is in \(TerminalText.printable(out))\n")
    default: try session.renderer.object(answer.without("missing"), kind: "Token", noun: "token")
    }
  }
}
