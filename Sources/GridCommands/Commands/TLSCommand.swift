internal import ArgumentParser
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import GridSystem

/// `gridctl tls`
struct TLSCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tls", abstract: "Certificates: make an authority, issue them, look at them, try them.",
    discussion: """
      Examples:
        gridctl tls init-ca ca
        gridctl tls issue --ca ca --name n1
        gridctl tls issue --ca ca --name anna --role viewer
      """,
    subcommands: [Authority.self, Issue.self, TLSShowCommand.self, TLSVerifyCommand.self])

  @OptionGroup var global: GlobalOptions

  func run() async throws { try Gridctl.needsVerb(Self.self) }

  /// The authority's files have this name; nobody else may.
  static let authorityName = "ca"

  struct Authority: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "init-ca", abstract: "Make an authority, which issues the certificates of a cluster.",
      discussion: """
        Its certificate, ca.pem, goes to every node and client. Its key, ca.key, lets whoever has it issue certificates
        for anybody: keep it away from the nodes.

        Examples:
          gridctl tls init-ca ca
          gridctl tls init-ca /etc/gridctl/ca --days 1825
        """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Where its files go.", valueName: "directory"))
    var directory: String
    @Option(help: ArgumentHelp("How long it is good.", valueName: "days"))
    var days: Int = CertificateAuthority.standardAuthorityDays
    @Flag(help: "Replace what is there: no certificate that was issued before is believed any more.")
    var force = false

    func run() async throws {
      let settings = try Settings(global)
      let files = CertificateFiles(directory: directory)
      try files.refuseToReplace(TLSCommand.authorityName, unless: force)
      let issued = try CertificateAuthority.make(days: days, now: SystemClock().date())
      try files.write(issued, TLSCommand.authorityName)
      try files.show(issued, TLSCommand.authorityName, settings)
    }
  }

  struct Issue: GridCommand {
    static let configuration = CommandConfiguration(
      commandName: "issue", abstract: "Issue a certificate for a node, an operator or a viewer.",
      discussion: """
        It stands for a name and a role in the namespace. NAME.pem and NAME.key go into the directory of the authority,
        or with --out into another one, with a copy of ca.pem. A node takes replaced files by itself.

        A node is only of use as itself, an operator may do everything, a viewer only look, and read bodies of dead
        letters and traces only with --bodies.

        Examples:
          gridctl tls issue --ca ca --name n1 --out n1
          gridctl tls issue --ca ca --name n1 --force
          gridctl tls issue --ca ca --namespace shop --name anna --role viewer --days 30
        """)

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("The directory of the authority.", valueName: "directory"))
    var ca: String
    @Option(help: ArgumentHelp("Whom it is for.", valueName: "name"))
    var name: String
    @Option(help: ArgumentHelp("node, operator or viewer.", valueName: "role"))
    var role: String = Role.node.rawValue
    @Flag(help: "A viewer may read bodies of dead letters and traces.")
    var bodies = false
    @Option(
      help: ArgumentHelp(
        "A host's name or address to add, for programs that look at those; may be repeated.", valueName: "host"))
    var san: [String] = []
    @Option(help: ArgumentHelp("How long it is good.", valueName: "days"))
    var days: Int = CertificateAuthority.standardDays
    @Option(help: ArgumentHelp("Where its files go (default: the authority's directory).", valueName: "directory"))
    var out: String?
    @Flag(help: "Replace what is there.")
    var force = false

    func run() async throws {
      let settings = try Settings(global)
      let identity = try identity(settings.namespace)
      let home = CertificateFiles(directory: ca)
      let files = CertificateFiles(directory: out ?? ca)
      try files.refuseToReplace(name, unless: force)
      let authority = try home.authority()
      let issued = try authority.issue(identity, names: san, days: days, now: SystemClock().date())
      if out != nil { try files.copyAuthority(from: home, replaces: force) }
      try files.write(issued, name)
      try files.show(issued, name, settings)
    }

    private func identity(_ namespace: String) throws(GridError) -> CertificateIdentity {
      guard let role = Role(rawValue: role) else {
        throw GridError(
          .usage, "unknown role \(NameRules.quoted(role))",
          hint: Role.allCases.map(\.rawValue).joined(separator: ", "))
      }
      guard !bodies || role == .viewer else {
        throw GridError(.usage, "--bodies is for a viewer: others read them anyway")
      }
      guard name != TLSCommand.authorityName else {
        throw GridError(.usage, "the name \(name) is the authority's own", hint: "choose another one")
      }
      return try CertificateIdentity(name: name, role: role, namespace: namespace, readsBodies: bodies)
    }
  }
}

/// The directory of an authority, or of who has a certificate: `NAME.pem` and `NAME.key`.
struct CertificateFiles {
  let directory: String

  private static let keyFile = GuardedFile(
    noun: "key", isSecret: true, limit: 64 * 1024, ownHint: "use an authority of your own: gridctl tls init-ca DIR",
    leakHint: "a new authority: gridctl tls init-ca DIR --force")
  private static let certificateFile = GuardedFile(
    noun: "certificate", isSecret: false, limit: 64 * 1024, ownHint: "", leakHint: "")

  func certificate(_ name: String) -> String { "\(directory)/\(name).pem" }
  func key(_ name: String) -> String { "\(directory)/\(name).key" }

  func refuseToReplace(_ name: String, unless isForced: Bool) throws(GridError) {
    for path in [certificate(name), key(name)] where PrivateFile.exists(path) && !isForced {
      throw GridError(.nameTaken, "there is a \(path) already", hint: "choose another directory, or pass --force")
    }
  }

  /// The key first: whoever reads both meanwhile finds two that do not belong together, and looks again.
  func write(_ issued: IssuedCertificate, _ name: String) throws(GridError) {
    do throws(GridError) {
      try PrivateDirectory.make(directory)
    } catch {
      throw GridError(error.code, error.message, hint: "choose another directory")
    }
    try PrivateFile.replace(key(name), with: Array(issued.key.utf8))
    try PrivateFile.replace(certificate(name), with: Array(issued.certificate.utf8), mode: 0o644)
  }

  func authority() throws(GridError) -> CertificateAuthority {
    let name = TLSCommand.authorityName
    return try CertificateAuthority(
      certificate: try Self.text(certificate(name), Self.certificateFile), key: try Self.text(key(name), Self.keyFile))
  }

  func copyAuthority(from other: CertificateFiles, replaces: Bool) throws(GridError) {
    let name = TLSCommand.authorityName
    let text = try Self.text(other.certificate(name), Self.certificateFile)
    let path = certificate(name)
    if PrivateFile.exists(path), try Self.text(path, Self.certificateFile) != text, !replaces {
      throw GridError(
        .nameTaken, "\(path) is another authority's", hint: "choose another directory, or pass --force")
    }
    try PrivateDirectory.make(directory)
    try PrivateFile.replace(path, with: Array(text.utf8), mode: 0o644)
  }

  private static func text(_ path: String, _ file: GuardedFile) throws(GridError) -> String {
    guard let bytes = try file.read(path) else {
      throw GridError(.noInput, "there is no \(file.noun) \(path)", hint: "a new authority: gridctl tls init-ca DIR")
    }
    guard bytes.count <= file.limit else {
      throw GridError(.configuration, "the \(file.noun) \(path) has more than \(file.limit) bytes")
    }
    return try String(strictly: bytes, from: path, .configuration)
  }

  func show(_ issued: IssuedCertificate, _ name: String, _ settings: Settings) throws {
    guard let report = try CertificateReport.all(pem: issued.certificate).first else { return }
    var json = report.json(at: SystemClock().date())
    if report.isAuthority { json = json.with("name", .string(name)) }
    json = json.with("certificate", .string(certificate(name))).with("key", .string(key(name)))
    try settings.renderer.object(json, kind: "Certificate", noun: "certificate")
  }
}
