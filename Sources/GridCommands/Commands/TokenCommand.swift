internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests

/// `gridctl token`
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Let others in: make, list and revoke tokens.",
    discussion: """
      A token is given to whoever has neither the secret of the cluster nor a certificate, and is shown to HOST:PORT
      with --token-file. It is good for what its role may do, until it expires or is revoked. The cluster keeps what it
      needs to know it, and not the token: it is shown once, to whoever makes it.

      Examples:
        gridctl token create --role viewer --comment 'for Ada' --out ada.token
        gridctl peers -e 10.0.0.1:4743 --token-file ada.token
        gridctl token list
      """,
    subcommands: [TokenCreateCommand.self, List.self, TokenRevokeCommand.self])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  static let description = ListDescription(
    kind: "TokenList", noun: "token", nameField: "id",
    columns: [
      // Whole: it is what revoke takes.
      Column("ID", fit: .whole, priority: ColumnPriority.name, field: "id"),
      Column("ROLE", fit: .whole, priority: ColumnPriority.important) {
        Column.text($0, "role") + (Column.text($0, "role") == "viewer" && Column.isTrue($0, "bodies") ? "+bodies" : "")
      },
      Column("STATE", fit: .whole, priority: ColumnPriority.important, field: "state"),
      Column("EXPIRES", fit: .whole, field: "expires"),
      Column("ONCE", fit: .whole, priority: ColumnPriority.detail) { Column.isTrue($0, "singleUse") ? "yes" : "-" },
      Column("MADE BY", fit: .middle(12), field: "createdBy"),
      Column("COMMENT", fit: .end(12), priority: ColumnPriority.detail, field: "comment"),
      Column("MADE", wideOnly: true, field: "created"), Column("USED", wideOnly: true, field: "used"),
      Column("REVOKED", wideOnly: true, field: "revoked"),
    ])

  struct List: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the tokens, without the tokens themselves.",
      discussion: """
        Those that have ended stay in the list for a day.

        Examples:
          gridctl token list
          gridctl token list -o jsonpath='{.items[?(@.state=="live")].id}'
        """)

    @OptionGroup var global: GlobalOptions

    func run() async throws {
      try await CommandSession(global).list(TokensRequest(), TokenCommand.description)
    }
  }
}

/// A token on the command line: its identifier, or `token/ID` as `-o name` prints it.
struct TokenArgument: ExpressibleByArgument, Sendable {
  let identifier: String

  init(argument: String) { identifier = argument.hasPrefix("token/") ? String(argument.dropFirst(6)) : argument }
}

/// `gridctl token revoke`
struct TokenRevokeCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Revoke tokens: nobody comes in with them any more, and whoever is in is put out.",
    discussion: """
      It holds on every node once the command has ended; a node that has not said so is named, and the command ends
      with 3.

      Examples:
        gridctl token revoke lmfuzubzuhw5
        gridctl token revoke --all --yes
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("Their ids.", valueName: "token"))
  var ids: [TokenArgument] = []
  @Flag(help: "Every token that is still good.")
  var all = false

  func validate() throws {
    if ids.isEmpty != all { throw ValidationError("name tokens, or pass --all") }
  }

  func run() async throws {
    let session = try await CommandSession(global)
    var identifiers = ids.map(\.identifier)
    if all {
      identifiers = try await session.items(TokensRequest()).items().filter { $0.state == .live }.map(\.identifier)
    }
    if !identifiers.isEmpty {
      let what = identifiers.count == 1 ? "token \(identifiers[0])" : "\(identifiers.count) tokens"
      try await session.confirm("revoke \(what)", asksAnyway: all)
    }
    var revoked: [JSONValue] = []
    var missing: [MissingNode] = []
    var hasFailed = false
    for identifier in identifiers {
      do throws(GridError) {
        let answer = try await session.json(TokenRevokeRequest(identifier))
        missing += try ChangedToken(json: answer).missing.filter { node in !missing.contains { $0.node == node.node } }
        revoked.append(answer.without("missing"))
        if isForPeople(session) { try session.writer.output("token \(identifier) is revoked\n") }
      } catch {
        if identifiers.count == 1 { throw error }
        hasFailed = true
        ErrorReport(error: error, target: identifier).write(format: session.renderer.format, to: session.writer)
      }
    }
    if isForPeople(session) {
      session.renderer.note(.array(revoked))
    } else {
      try session.renderer.list(revoked, TokenCommand.description)
    }
    try session.warnOfMissing(missing)
    if hasFailed { throw ExitCode(ExitStatus.partial.rawValue) }
  }

  private func isForPeople(_ session: CommandSession) -> Bool {
    session.renderer.format == .table || session.renderer.format == .wide
  }
}
