internal import ArgumentParser
internal import GridClient
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import GridSystem

/// `gridctl tls show`
struct TLSShowCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what is in a certificate: of a file, or of what listens somewhere.",
    discussion: """
      Nothing is checked: tls verify does that.

      Examples:
        gridctl tls show ca/n1.pem
        gridctl tls show 10.0.0.1:4743
        gridctl tls show n1.pem -o jsonpath='{.notAfter}'
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("A PEM file, or HOST:PORT.", valueName: "certificate"))
  var place: String

  private static let purpose = UserFile.Purpose(bound: "a file of certificates has at most", limit: 1 << 20)

  static let description = ListDescription(
    kind: "CertificateList", noun: "certificate",
    columns: [
      Column("IDENTITY", fit: .middle(16), priority: ColumnPriority.name, field: "identity"),
      Column("AUTHORITY", fit: .whole) { Column.isTrue($0, "authority") ? "yes" : "-" },
      Column("STATUS", fit: .whole, priority: ColumnPriority.important, field: "status"),
      Column("EXPIRES", fit: .whole, field: "notAfter"),
      Column("SUBJECT", fit: .end(16), priority: ColumnPriority.detail, field: "subject"),
    ])

  func run() async throws {
    let settings = try Settings(global)
    let reports = try await reports(settings)
    let now = SystemClock().date()
    if let only = reports.first, reports.count == 1 {
      return try settings.renderer.object(only.json(at: now), kind: "Certificate", noun: "certificate")
    }
    try settings.renderer.list(reports.map { $0.json(at: now) }, Self.description)
  }

  private func reports(_ settings: Settings) async throws(GridError) -> [CertificateReport] {
    if !PrivateFile.exists(place), (try? SettingRules.endpoints(place)) != nil {
      return [try CertificateReport(der: try await ServerCertificate.shown(at: place, timeout: settings.timeout))]
    }
    let bytes = try UserFile.read(place, as: Self.purpose)
    do throws(GridError) {
      return try CertificateReport.all(pem: try String(strictly: bytes, from: place, .configuration))
    } catch {
      throw GridError(error.code, "\(UserFile.quoted(place)): \(error.message)", hint: error.hint, cause: error.cause)
    }
  }
}

/// `gridctl tls verify`
struct TLSVerifyCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Connect to a node with TLS as the settings say, and say what is wrong if it fails.",
    discussion: """
      Without a node the one is tried that the settings lead to.

      Examples:
        gridctl tls verify
        gridctl tls verify n2
        gridctl -C prod tls verify
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "The node; without it the one that the settings lead to.")
  var node: NodeArgument?

  func run() async throws {
    let name = try node?.validated()
    var settings = try Settings(global)
    guard let files = settings.tls else {
      throw GridError(
        .usage, "no authority is named: nothing would be encrypted",
        hint: "name it with --tls-ca, and a certificate with --tls-cert and --tls-key; see: gridctl help tls")
    }
    let address = try await address(of: name, settings)
    settings.endpoints = [address]
    let connection = try await settings.client(patience: settings.timeout).connection(timeout: settings.timeout)
    _ = try await connection.ask(PingRequest(), timeout: settings.timeout)
    let shown = try CertificateReport(der: try await ServerCertificate.shown(at: address, timeout: settings.timeout))
    let now = SystemClock().date()
    try settings.renderer.object(
      [
        "name": .string(connection.nodeName), "address": .string(address), "ok": true,
        "identity": .optional(shown.identity?.dnsName), "status": .string(shown.status(at: now)),
        "notAfter": .string(shown.notAfter.rfc3339), "fingerprint": .string("SHA256:" + shown.fingerprint),
        "ca": .string(files.authority), "certificate": .optional(files.certificate),
      ], kind: "CertificateVerification", noun: "node")
  }

  /// Where the node listens for others.
  private func address(of name: String?, _ settings: Settings) async throws(GridError) -> String {
    if name == nil, let first = settings.endpoints.first(where: { !$0.hasPrefix("unix:") }) { return first }
    let session = try await CommandSession(global)
    let peers = try await session.items(PeersRequest()).items()
    guard let peer = peers.first(where: { peer in name.map { $0 == peer.name } ?? peer.isSelf }) else {
      throw GridError(.noSuchNode, "there is no node \(name ?? "")", hint: "see: gridctl peers")
    }
    return peer.address
  }
}
