internal import ArgumentParser
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// `gridctl broadcast`
struct BroadcastCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "broadcast", _superCommandName: "gridctl",
    abstract: "Ask many actors at once and print their replies.",
    discussion: """
      The message goes to the actors of a kind, to those whose name matches, or to those that are named, wherever they
      run; each reply is printed as soon as it is there. The command ends with 0 when as many have replied as
      --require says, and with 3 when only some of them have. Who gave no reply is told on standard error.

      With --retry those that failed are asked again, and only those: one that has failed half way does its work
      twice. With --fastest the first reply is printed alone, and nobody else is waited for.

      Examples:
        gridctl broadcast --kind cache flush
        gridctl broadcast --to 'web-*' --require quorum --retry 2 reload
        gridctl broadcast --actors eu,us,asia --fastest 'price 7'
        gridctl broadcast --kind exec --on n2 --no-reply rotate
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: MessageOptions
  @Option(help: ArgumentHelp("To the actors of this kind.", valueName: "kind"))
  var kind: String?
  @Option(
    help: ArgumentHelp("To the actors whose name matches; * stands for any characters.", valueName: "pattern"))
  var to: ActorPatternArgument?
  @Option(
    help: ArgumentHelp("To these actors, with commas between them; may be repeated.", valueName: "actors"))
  var actors: [String] = []
  @Option(help: ArgumentHelp("To actors on this node alone.", valueName: "node"))
  var on: String?
  @Argument(help: "The body: text, - or @FILE.")
  var payload: String?
  @Option(help: ArgumentHelp("How many must reply: all, quorum, any or a number.", valueName: "requirement"))
  var require: String = "all"
  @Flag(help: "Print the first reply alone, and wait for nobody else.")
  var fastest = false
  @Option(help: ArgumentHelp("Ask those that failed so many times again.", valueName: "count"))
  var retry: Int = 0
  @Option(help: ArgumentHelp("Ask so many at once.", valueName: "count"))
  var parallel: Int = 64
  @Flag(help: "Be content when the message is in the mailboxes.")
  var noReply = false

  /// Nil where `--require` is none.
  private var requirement: ReplyRequirement? {
    switch require {
    case "all": .all
    case "quorum": .quorum
    case "any": .any
    default: Int(require).flatMap { $0 > 0 ? .count($0) : nil }
    }
  }

  func validate() throws {
    if kind == nil, to == nil, on == nil, actors.isEmpty {
      throw ValidationError("to whom? Name a --kind, a pattern with --to, a node with --on, or --actors")
    }
    if !actors.isEmpty, kind != nil || to != nil || on != nil {
      throw ValidationError("--actors says exactly who: it takes no --kind, no --to and no --on")
    }
    if fastest, noReply { throw ValidationError("--fastest waits for a reply: it takes no --no-reply") }
    if fastest, require != "all" {
      throw ValidationError("--fastest is content with one reply: it takes no --require")
    }
    if requirement == nil { throw ValidationError("--require is all, quorum, any or a number from 1 on") }
    if !(0...1000).contains(retry) { throw ValidationError("--retry must be 0 to 1000") }
    if !(1...4096).contains(parallel) { throw ValidationError("--parallel must be 1 to 4096") }
  }

  func run() async throws {
    let audience = try BroadcastAudience(kind: kind, pattern: to, actors: actors, node: on)
    let message = options.message(try Payload.read(payload, options: global))
    let session = try await CommandSession(global)
    let (addresses, isWhole) = try await audience.addresses(session)
    var broadcast = BroadcastOptions()
    broadcast.requirement = requirement ?? .all
    broadcast.endsWithFirst = fastest
    broadcast.retries = retry
    broadcast.parallel = parallel
    broadcast.timeout = session.timeout
    try await BroadcastTeller(session: session, options: broadcast, asksForReplies: !noReply).run(message, addresses)
    // Nodes that did not say who runs there were told of.
    if !isWhole { throw ExitCode(ExitStatus.partial.rawValue) }
  }
}

/// Who gets a broadcast.
struct BroadcastAudience {
  private let named: [String]
  private let request: ActorsRequest
  private let node: String?
  /// In words, for when there is nobody.
  private let description: String

  /// - Throws: ``GridError/Code/usage`` where a name or pattern is none.
  init(kind: String?, pattern: ActorPatternArgument?, actors: [String], node: String?) throws(GridError) {
    var named: [String] = []
    for text in actors.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      named.append(try ActorArgument(argument: String(text)).validated())
    }
    self.named = named
    self.node = node
    let wanted: String? =
      switch try pattern?.target() {
      case .name(let name): name
      case .pattern(let pattern): pattern.text
      case nil: nil
      }
    var request = ActorsRequest(pattern: wanted, kind: kind)
    request.isShort = true
    self.request = request
    description = [
      kind.map { " of kind \(NameRules.quoted($0))" }, wanted.map { " that matches \(NameRules.quoted($0))" },
      node.map { " on node \(NameRules.quoted($0))" },
    ].compactMap { $0 }.joined()
  }

  /// The addresses, each once, and whether every node has said who runs there; those that have not are told of.
  ///
  /// - Throws: ``GridError/Code/noSuchActor`` when there is nobody.
  func addresses(_ session: CommandSession) async throws -> (addresses: [String], isWhole: Bool) {
    guard named.isEmpty else { return (try BroadcastRun.distinct(named), true) }
    let list = try await session.items(request, on: node)
    let isWhole = (try? session.warnOfMissing(list.missing)) != nil
    let found = try list.items().map(\.name).sorted()
    guard !found.isEmpty else {
      throw GridError(
        .noSuchActor, "there is no actor\(description) in namespace \(session.settings.namespace)",
        hint: "see what runs with: gridctl actors")
    }
    return (found, isWhole)
  }
}
