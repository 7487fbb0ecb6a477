/// The commands as the first page of the help shows them: in groups, each with a few words.
enum CommandGroups {
  struct Group: Sendable {
    var title: String
    var entries: [Entry]
  }

  struct Entry: Sendable, Equatable {
    var name: String
    /// At most 21 terminal cells, so that two stand side by side on 80.
    var brief: String
  }

  private static let known: [(title: String, entries: KeyValuePairs<String, String>)] = [
    (
      "Messages",
      [
        "tell": "send a message", "ask": "ask, print the answer", "broadcast": "ask many at once",
        "dead-letters": "what was not handled",
        "trace": "follow its messages", "bench": "measure",
      ]
    ),
    (
      "Look",
      [
        "peers": "nodes of the cluster", "actors": "what runs, and where", "top": "the busiest, live",
        "inspect": "all about one actor", "events": "what happens, live", "check": "is the cluster well?",
        "audit": "who did what", "wait": "until something is so",
      ]
    ),
    (
      "Cluster",
      [
        "node": "start and stop nodes", "spawn": "start an actor", "stop": "end actors",
        "restart": "stop and start again", "leader": "elect, run as leader",
        "tls": "certificates", "token": "let others in", "kinds": "what can be spawned",
      ]
    ),
    (
      "Session",
      [
        "repl": "a session, scripts", "context": "clusters under names", "completion": "for your shell",
        "exit-codes": "what they mean", "help": "a command or a topic",
      ]
    ),
  ]

  /// The groups of the commands there are; what no group has comes last.
  static func groups(of commands: [CommandTree.Command]) -> [Group] {
    let there = Set(commands.filter { !$0.isHidden }.map(\.name))
    var groups = known.map { title, entries in
      Group(
        title: title, entries: entries.filter { there.contains($0.key) }.map { Entry(name: $0.key, brief: $0.value) })
    }
    let grouped = Set(groups.flatMap(\.entries).map(\.name))
    let rest = commands.filter { there.contains($0.name) && !grouped.contains($0.name) }
    if !rest.isEmpty {
      groups.append(Group(title: "Other", entries: rest.map { Entry(name: $0.name, brief: $0.abstract) }))
    }
    return groups.filter { !$0.entries.isEmpty }
  }
}
