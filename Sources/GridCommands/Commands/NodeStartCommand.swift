internal import ArgumentParser
internal import Glibc
internal import Grid
internal import GridCore
internal import GridRequests
internal import GridSystem
internal import Logging

/// `gridctl node start`
struct NodeStartCommand: OwnProcessCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Run a node.",
    discussion: """
      Nodes of one namespace on one machine form a cluster by themselves. In the foreground the node prints one
      line when it serves, logs to standard error, and leaves in good order on Ctrl-C, on SIGTERM, and on SIGHUP when
      its terminal is closed; a second Ctrl-C or SIGTERM ends it at once. In the background it ignores SIGHUP.

      Under a service manager such as systemd (Type=notify) the node says when it serves and when it leaves, and while
      it lives as often as the watchdog wants; its directories are those named gridctl in RUNTIME_DIRECTORY and
      STATE_DIRECTORY. The unit gridctl.service is installed with it, and takes options of this command from
      GRIDCTL_NODE_OPTIONS in /etc/default/gridctl.

      With --tls-ca, --tls-cert and --tls-key every connection over TCP is encrypted, and certificates say who is at
      its ends; without --name the node takes the name in its certificate. Replaced files count for new connections.
      See gridctl help tls.

      A file of kinds names programs: kinds: { resize: { command: [./resize.py], handler-timeout: 30s } }. With
      singleton: true one actor of a kind runs once in the namespace, on one of the nodes that offer it. See
      gridctl-kinds(5).

      Examples:
        gridctl node start
        gridctl node start --detach --name n1 --label zone=a
        gridctl node start --namespace shop --listen 127.0.0.1:5000 --log json
        gridctl node start --store etcd://10.0.0.9:2379 --listen 10.0.0.1:4743 \
          --tls-ca ca.pem --tls-cert n1.pem --tls-key n1.key
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("The node's name (default: the first free of n1, n2, …).", valueName: "name"))
  var name: String?
  @Option(help: ArgumentHelp("Where to listen (default: 127.0.0.1:4743, or a free port).", valueName: "host:port"))
  var listen: String?
  @Option(help: ArgumentHelp("What other nodes are told to dial.", valueName: "host:port"))
  var advertise: String?
  @Option(
    help: ArgumentHelp(
      "The coordination store: embedded (the default), or etcd://HOST:PORT[,HOST:PORT…][/PREFIX].", valueName: "store")
  )
  var store: String?
  @Option(help: ArgumentHelp("Put in front of every key in etcd.", valueName: "prefix"))
  var storePrefix: String?
  @Flag(help: "Allow --listen on an address that others can reach, without encryption.")
  var insecure = false
  @Flag(help: "Let operators on other machines run programs of their choice on it (kind exec).")
  var allowExec = false
  @Flag(help: "Let operators on other machines stop it.")
  var allowStop = false
  @Flag(help: "Let it leave core files when it crashes, and debuggers of its user attach; they see its secrets.")
  var allowCoreDumps = false
  @Option(
    help: ArgumentHelp(
      "A group whose members may use its socket as its user may: they can run programs as the node's user.",
      valueName: "group"))
  var adminGroup: String?
  @Option(help: ArgumentHelp("Where names and dead letters are kept.", valueName: "directory"))
  var stateDir: String?
  @Option(help: ArgumentHelp("A YAML file of kinds: programs that actors are made from by name.", valueName: "file"))
  var kindsFile: String?
  @Option(
    help: ArgumentHelp(
      "A variable of the node's that its programs get, beside PATH, HOME, LANG and the like; may be repeated.",
      valueName: "name|pattern*"))
  var passEnv: [String] = []
  @Option(help: ArgumentHelp("A label of the node; may be repeated.", valueName: "key=value"))
  var label: [KeyValueArgument] = []
  @Flag(help: "Return once the node serves; it goes on in the background.")
  var detach = false
  @Option(help: ArgumentHelp("A descriptor that gets a line feed when the node serves.", valueName: "descriptor"))
  var readyFd: Int32?
  @Option(
    help: ArgumentHelp(
      "A file for the process id, which must not name a node that runs; removed at the end.", valueName: "file"))
  var pidFile: String?
  @Option(help: ArgumentHelp("How to log: text or json.", valueName: "log-form"))
  var log: LogForm = .text
  @Option(
    help: ArgumentHelp("trace, debug, info, notice, warning, error or critical (default: notice).", valueName: "level"))
  var logLevel: String?
  @Option(help: ArgumentHelp("Dead letters kept (default: 100000).", valueName: "count"))
  var deadLetterCapacity: Int?
  @Option(
    help: ArgumentHelp("Bytes of dead letters kept, with their bodies (default: 1GiB).", valueName: "size"),
    transform: SizeArgument.init(parsing:))
  var deadLetterBytes: SizeArgument?
  @Option(help: .hidden) var logFile: String?

  func run() async throws {
    // Before anything else: settings may name secrets, and the node's programs get back what this takes. A process that
    // only starts the node knows none, and hands its own limits on.
    if allowCoreDumps { ProcessPrivacy.isOn = false }
    if !detach { try ProcessPrivacy.expectSecret() }
    let settings = try Settings(global)
    if detach {
      return try Detacher(settings: settings, name: name, stateDirectory: stateDir).run()
    }
    if let readyFd, fcntl(readyFd, F_GETFD) < 0 {
      throw GridError(
        .usage, "descriptor \(readyFd) in --ready-fd is not open", hint: "open it, as: --ready-fd 3 3>FILE")
    }
    let configuration = try makeConfiguration(settings)
    let manager = try ServiceManager(
      environment: Settings.variables, process: getpid(), isDetached: isDetached, logger: configuration.logger)
    let pid: PidFile? = if let pidFile { try await PidFile(pidFile) } else { nil }
    defer { pid?.remove() }
    // A node in the background has no terminal that can go away.
    if isDetached { TerminationSignals.ignoreHangUp() }
    let signals = try TerminationSignals.take([SIGHUP, SIGINT, SIGTERM])
    let node = GridNode(configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await node.run() }
      group.addTask { await Self.pass(signals, to: node, pid) }
      group.addTask {
        try await node.waitUntilReady()
        try await announce(node, settings)
        await manager?.serve(node)
      }
      // The node's end is the command's end; the other two only serve it.
      while try await group.next() != nil, !node.hasEnded {}
      group.cancelAll()
    }
  }

  private func makeConfiguration(_ settings: Settings) throws -> NodeConfiguration {
    var configuration = NodeConfiguration(
      namespace: settings.namespace, name: name, listen: listen, stateDirectory: stateDir ?? settings.directories.state,
      runtimeDirectory: settings.directories.runtime, logger: try makeLogger())
    configuration.advertise = advertise
    configuration.allowsExec = true
    configuration.accessRules = AccessRules(allowsExec: allowExec, allowsStop: allowStop)
    configuration.secretFile = settings.secretFile
    configuration.adminGroup = try adminGroup.map { text throws(GridError) in try SystemGroup.number(text) }
    let named = store ?? Settings.variables["GRIDCTL_STORE"] ?? ""
    configuration.coordination = named.isEmpty ? "embedded" : named
    configuration.storePrefix = storePrefix
    configuration.allowsInsecureListening = insecure
    configuration.allowsCoreDumps = allowCoreDumps
    configuration.tls = try settings.tlsOfNode(global)
    configuration.labels = Dictionary(label.map { ($0.key, $0.value) }) { _, last in last }
    if let kindsFile {
      let file = try KindsFile.read(kindsFile)
      (configuration.programs, configuration.singletons) = (file.programs, file.singletons)
    }
    configuration.passedVariables = passEnv
    if let deadLetterCapacity { configuration.deadLetterCapacity = deadLetterCapacity }
    if let deadLetterBytes { configuration.deadLetterBytes = deadLetterBytes.bytes }
    return configuration
  }

  private func makeLogger() throws(GridError) -> Logger {
    let sink = try LogSink(path: logFile)
    var level: Logger.Level = global.verbose > 1 ? .debug : global.verbose > 0 ? .info : .notice
    if let logLevel {
      guard let chosen = Logger.Level(rawValue: logLevel) else {
        throw GridError(
          .usage, "unknown log level \(NameRules.quoted(logLevel))",
          hint: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
      }
      level = chosen
    }
    let form = log
    var logger = Logger(label: "gridctl") { _ in LineLogHandler(sink: sink, form: form) }
    logger.logLevel = level
    return logger
  }

  private func announce(_ node: GridNode, _ settings: Settings) async throws {
    let name = try await node.name
    let address = try await node.address
    let renderer = settings.renderer
    switch settings.format {
    case .table, .wide:
      try renderer.writer.foreign("node \(name) serves namespace \(settings.namespace) at \(address)\n")
    default:
      try renderer.object(
        ["name": .string(name), "namespace": .string(settings.namespace), "address": .string(address)],
        kind: "NodeInfo", noun: "node")
    }
    if let logFile {
      // Whoever waits for the end of our output, as $(…) does, must not wait for the node's.
      let log = try LogSink(path: logFile)
      dup2(log.descriptor, 1)
      dup2(log.descriptor, 2)
    }
    if let readyFd {
      var lineFeed: UInt8 = 0x0A
      let count = write(readyFd, &lineFeed, 1)
      close(readyFd)
      // Whoever detached it was ended while it started, and does not know that it runs.
      if isDetached, count < 0, errno == EPIPE { node.beginGracefulShutdown() }
    }
  }

  /// Whether it is the process in the background that `--detach` has started.
  private var isDetached: Bool { logFile != nil }

  /// The first signal asks the node to leave; the second ends the process. A terminal that closes may say so twice, and
  /// what says it is no person who is tired of waiting: SIGHUP only asks.
  private static func pass(_ signals: TerminationSignals, to node: GridNode, _ pid: PidFile?) async {
    var isFirst = true
    while let number = await signals.next() {
      if number == SIGHUP {
        if node.isLeaving { continue }
      } else {
        if !isFirst {
          pid?.remove()
          _exit(128 + number)
        }
        isFirst = false
      }
      node.beginGracefulShutdown()
    }
  }
}

extension Settings {
  /// The files of a node that is started here: those of a context are a client's.
  fileprivate func tlsOfNode(_ options: GlobalOptions) throws(GridError) -> TLSFiles? {
    func variable(_ name: String) -> String? { Settings.variables[name].flatMap { $0.isEmpty ? nil : $0 } }
    return try TLSFiles(
      authority: options.tlsAuthority ?? variable("GRIDCTL_TLS_CA"),
      certificate: options.tlsCertificate ?? variable("GRIDCTL_TLS_CERT"),
      key: options.tlsKey ?? variable("GRIDCTL_TLS_KEY"))
  }
}
