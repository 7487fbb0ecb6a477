package import GridCore

/// What somebody may have meant with a word that is no command, in the shell and in the session alike.
package enum CommandWords {
  /// Words of other tools, and the commands that mean the same here.
  static let synonyms: [String: [String]] = [
    "add": ["spawn"], "all": ["broadcast"], "attach": ["repl"], "benchmark": ["bench"], "bounce": ["restart"],
    "call": ["ask"],
    "cast": ["tell"], "config": ["context"], "connect": ["repl"], "console": ["repl"], "create": ["spawn"],
    "ctx": ["context"], "del": ["stop"], "delete": ["stop"], "describe": ["inspect"], "dlq": ["dead-letters"],
    "drain": ["node stop"], "elect": ["leader run"], "emit": ["tell"], "end": ["stop"],
    "errors": ["dead-letters", "events"], "everybody": ["broadcast"], "fanout": ["broadcast"],
    "follow": ["events", "trace"], "get": ["inspect", "ask"],
    "halt": ["node stop"], "health": ["check"], "info": ["node info", "inspect"], "init": ["node start"],
    "jobs": ["actors"], "join": ["node start"], "kill": ["stop"], "latency": ["bench", "node ping"],
    "leave": ["node stop"], "letters": ["dead-letters"], "list": ["actors", "peers"], "lock": ["leader run"],
    "log": ["events", "audit list"],
    "login": ["context"], "logs": ["events"], "ls": ["actors", "peers"], "man": ["help"],
    "members": ["peers"], "monitor": ["top", "events"], "new": ["spawn"], "nodes": ["peers"],
    "options": ["help options"], "ping": ["node ping"], "post": ["tell"], "processes": ["actors"], "ps": ["actors"],
    "pub": ["tell"], "publish": ["tell"], "push": ["tell"], "query": ["ask"], "queues": ["actors"], "quit": ["exit"],
    "reload": ["restart"], "remove": ["stop"], "req": ["ask"], "request": ["ask"], "resend": ["dead-letters replay"],
    "retry": ["dead-letters replay"], "revoke": ["token revoke"],
    "rm": ["stop"], "run": ["spawn", "leader run"], "send": ["tell"],
    "serve": ["node start"], "server": ["node"], "shell": ["repl"], "scatter": ["broadcast"], "show": ["inspect"],
    "shutdown": ["node stop"],
    "start": ["spawn", "node start"], "stat": ["inspect"], "stats": ["top"], "status": ["check"], "sub": ["events"],
    "subscribe": ["events"], "tail": ["events", "dead-letters tail"], "terminate": ["stop"], "test": ["check"],
    "types": ["kinds"], "up": ["node start"], "usage": ["help"], "use": ["context use"], "version": ["--version"],
    "watch": ["events", "wait"],
  ]

  /// The commands that mean the same as the word, then those that are written nearly so; at most four.
  ///
  /// - Parameter known: what there is, where the word stands.
  package static func near(_ word: String, in known: [String]) -> [String] {
    let lowered = word.lowercased()
    let first = Set(known.map { $0.split(separator: " ").first.map(String.init) ?? $0 })
    let same = (synonyms[lowered] ?? []).filter { meant in
      meant.hasPrefix("-") || first.contains(meant.split(separator: " ").first.map(String.init) ?? meant)
    }
    let similar = NameSimilarity.similar(to: lowered, in: known).filter { !same.contains($0) }
    return Array((same + similar).prefix(4))
  }

  /// The error for a word that is no command.
  ///
  /// - Parameters:
  ///   - path: the command it stands behind; empty for the first word.
  ///   - otherwise: the hint where nothing is near.
  package static func unknown(
    _ word: String, after path: [String] = [], in known: [String], otherwise: String
  ) -> GridError {
    let near = near(word, in: known)
    let name = NameRules.isValid(word) ? word : NameRules.quoted(word)
    return GridError(
      .usage, "there is no command \((path + [name]).joined(separator: " "))",
      hint: near.isEmpty ? otherwise : "similar: \(near.joined(separator: ", "))")
  }
}
