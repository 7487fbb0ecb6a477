internal import GridActors
public import GridCore
internal import GridLink
package import GridRequests
internal import GridSystem
public import Logging

/// What a node is to be. Every field has a default that works on one machine.
public struct NodeConfiguration: Sendable {
  /// The cluster it belongs to. Nodes of different namespaces never see each other.
  public var namespace: String
  /// Its name in the cluster; nil takes the first free of `n1`, `n2`, ….
  public var name: String?
  /// Where it listens for nodes and clients, as `HOST:PORT`; nil listens on 127.0.0.1:4743, or on a free port when that
  /// one is taken. An address that others can reach needs ``tls`` or ``allowsInsecureListening``.
  public var listen: String?
  /// What other nodes are told to dial; nil tells them the address it listens on.
  public var advertise: String?
  /// Whether it may listen on an address that others can reach without encryption, where the secret of the namespace
  /// alone says who they are.
  public var allowsInsecureListening: Bool
  /// Encrypts every connection over TCP, and says by certificates who is at its ends; nil does not. The certificate is
  /// the node's own, made by `gridctl tls issue`; without a ``name`` the node takes the one in it. Replaced files count
  /// for new connections.
  public var tls: TLSFiles?
  /// Free `KEY=VALUE` pairs that `gridctl peers` shows and selects by.
  public var labels: [String: String]
  /// Where the coordination store, the dead letters and the secret of the namespace are kept: the user's own.
  public var stateDirectory: String
  /// A file with the secret of the namespace; nil takes the one in ``stateDirectory``, which the first node makes.
  /// Nodes that share no state directory, on several machines for instance, need copies of one file.
  public var secretFile: String?
  /// Where the socket for local clients is made.
  public var runtimeDirectory: String
  /// Dead letters kept; the oldest are dropped beyond it.
  public var deadLetterCapacity: Int
  /// Bytes of dead letters kept, bodies and all; the oldest are dropped beyond it.
  public var deadLetterBytes: Int
  /// How long the node's names stay its own when it can no longer renew its lease.
  public var leaseTimeToLive: Duration
  /// Whether `exec` actors may be spawned on it: whoever reaches the node may then run any program as its user. Off
  /// unless asked for; ``programs`` of the node's own run without it.
  public var allowsExec: Bool
  /// Whether its process may leave core files, which hold its secrets.
  package var allowsCoreDumps = false
  /// What callers from other machines may do with it.
  package var accessRules = AccessRules(allowsExec: true, allowsStop: true)
  /// The group whose members may use the socket, as operators; nil leaves it to the node's user and root.
  package var adminGroup: UInt32?
  /// Kinds of the node's own whose actors run a program, by name; none may have the name of another kind.
  public var programs: [String: ExecSpecification]
  /// Kinds of which one actor, of the kind's name, is kept running in the namespace, on one of the nodes that offer
  /// them; at first `leader`, as in lytics/grid. Kinds that the node does not offer are left to others.
  public var singletons: Set<String>
  /// Variables of ``environment`` that the programs of actors get beside a standard set, as names or patterns with `*`.
  public var passedVariables: [String]
  public var logger: Logger
  /// The coordination store: `embedded`, which lies in ``stateDirectory``, or `etcd://HOST:PORT[,HOST:PORT…][/PREFIX]`.
  public var coordination: String
  /// Put in front of every key in etcd, so that several installations share one cluster.
  public var storePrefix: String?
  /// A coordination store of the program's own, instead of the one that ``coordination`` names.
  package var store: (any CoordinationStore)?
  /// Threads that serve connections.
  public var eventLoopThreads: Int
  /// What tells the node the time and wakes it; nil for the machine's clock. Everything of the node that waits or names
  /// a time asks it; only child processes and other machines go by their own.
  public var timers: (any Timers)?
  /// The environment variables that the node knows: for ``stateDirectory`` and ``runtimeDirectory``, for what etcd
  /// needs, and of which its programs get some. The node reads no others.
  public let environment: [String: String]
  /// The same, byte for byte where they are this process's.
  let programEnvironment: ProgramEnvironment

  /// - Parameter environment: where the directories are and what the node's programs inherit; this process's own unless
  ///   given.
  public init(
    namespace: String = "default", name: String? = nil, listen: String? = nil,
    stateDirectory: String? = nil, runtimeDirectory: String? = nil, logger: Logger = Logger(label: "grid"),
    environment: [String: String] = NodeConfiguration.processEnvironment
  ) {
    self.namespace = namespace
    self.name = name
    self.listen = listen
    self.environment = environment
    programEnvironment = ProcessEnvironment.exact.restoring(environment)
    let directories = GridDirectories(environment: environment, namespace: namespace, user: ProcessEnvironment.user)
    self.stateDirectory = stateDirectory ?? directories.state
    self.runtimeDirectory = runtimeDirectory ?? directories.runtime
    self.logger = logger
    labels = [:]
    coordination = "embedded"
    allowsInsecureListening = false
    deadLetterCapacity = 100_000
    deadLetterBytes = 1 << 30
    leaseTimeToLive = .seconds(5)
    allowsExec = false
    programs = [:]
    singletons = ["leader"]
    passedVariables = []
    eventLoopThreads = 1
  }

  /// The environment of this process, as ``environment`` is by default.
  public static var processEnvironment: [String: String] { ProcessEnvironment.variables }

  /// Whether any of its kinds runs a program.
  var runsPrograms: Bool { allowsExec || !programs.isEmpty }

  /// The options that weaken what holds by default, as they are typed: told in `node info` and `check`.
  var weakened: [String] {
    let options = [
      ("--insecure", allowsInsecureListening && tls == nil), ("--allow-exec", allowsExec && accessRules.allowsExec),
      ("--allow-stop", accessRules.allowsStop), ("--admin-group", adminGroup != nil),
      ("--allow-core-dumps", allowsCoreDumps),
      (Self.storeInClearText, CoordinationStoreFactory.isInClearText(self)),
    ]
    return options.filter(\.1).map(\.0)
  }

  /// Whoever can read and change what goes to such a store decides who holds a name.
  static let storeInClearText = "--store etcd:// in clear text"

  /// The nodes of an embedded store have all files beside each other.
  var needsNotes: Bool { store != nil || coordination != "embedded" }

  /// - Parameter kinds: the names of the kinds that the node has without ``programs``.
  /// - Throws: ``GridError/Code/usage``, ``GridError/Code/refused`` or ``GridError/Code/configuration`` with the field
  ///   at fault.
  func validated(beside kinds: some Collection<String>) throws(GridError) -> NodeConfiguration {
    try NameRules.validated(namespace, as: "namespace")
    if let name { try NameRules.validated(name, as: "node") }
    if let advertise { _ = try LinkAddress(parsing: advertise) }
    for name in passedVariables { _ = try EnvironmentPolicy.validated(name) }
    for name in programs.keys.sorted() where kinds.contains(name) || BuiltInKinds.names.contains(name) {
      throw GridError(
        .configuration, "kind \(name) is there already and cannot be replaced by a program",
        hint: "give the program's kind another name")
    }
    for name in singletons { try NameRules.validated(name, as: "kind") }
    guard deadLetterCapacity > 0 else { throw GridError(.configuration, "the dead-letter capacity must be positive") }
    guard deadLetterBytes > 0 else {
      throw GridError(.configuration, "the bytes of dead letters kept must be positive")
    }
    guard leaseTimeToLive >= .milliseconds(500) else {
      throw GridError(.configuration, "the lease's time to live must be at least 500ms")
    }
    return self
  }

  var deadLetterLimits: DeadLetterCapacity {
    DeadLetterCapacity(letters: deadLetterCapacity, bytes: deadLetterBytes)
  }
}
