internal import GridCore
internal import GridRequests

/// Follows the words of a line through the command tree.
struct CompletionWalk {
  private var path: [CommandTree.Command]
  /// The option whose value comes next.
  private var awaiting: CommandTree.Argument?
  /// Positional arguments of the current command that have been given.
  private var positionals: [String] = []
  private var usedOptions: Set<String> = []
  private var isAfterTerminator = false
  private var hasTakenDefault = false

  init(tree: CommandTree) { path = [tree.root] }

  /// The names of the commands that the words so far lead to; not that of a default one, which was not named.
  var names: [String] { path.dropFirst().map(\.name).dropLast(hasTakenDefault ? 1 : 0) }

  /// The first word where a command is expected that is none.
  var unknownCommand: String? {
    guard let word = positionals.first, !isAfterTerminator || positionals.count > 1 else { return nil }
    let isGroup = hasTakenDefault || !command.commands.isEmpty
    return isGroup && !command.arguments.contains { $0.kind == .positional } ? word : nil
  }

  private var command: CommandTree.Command { path[path.count - 1] }

  /// Takes one complete word.
  mutating func take(_ word: String) {
    if awaiting != nil {
      awaiting = nil
    } else if isAfterTerminator {
      positionals.append(word)
    } else if word == "--" {
      isAfterTerminator = true
    } else if word.hasPrefix("-"), word.count > 1 {
      takeOption(word)
    } else if let next = command.command(named: word), positionals.isEmpty {
      path.append(next)
    } else {
      takeDefault(word)
    }
  }

  private mutating func takeOption(_ word: String) {
    let name = String(word.prefix { $0 != "=" })
    if let option = option(named: name) {
      usedOptions.insert(option.preferredName)
      if option.kind == .option, name == word { awaiting = option }
    } else if !word.hasPrefix("--"), word.count > 2, let option = option(named: String(word.prefix(2))) {
      // -ojson: the value is joined.
      usedOptions.insert(option.preferredName)
    }
  }

  /// A word that is no subcommand is for the default one.
  private mutating func takeDefault(_ word: String) {
    if let name = command.defaultCommand, let next = command.command(named: name) {
      path.append(next)
      hasTakenDefault = true
    }
    positionals.append(word)
  }

  /// Options may stand before and after the command they belong to; those of a command's parents count.
  private func option(named name: String) -> CommandTree.Argument? {
    for command in path.reversed() {
      if let option = command.option(named: name) { return option }
      if let standard = command.defaultCommand, let option = command.command(named: standard)?.option(named: name) {
        return option
      }
    }
    return nil
  }

  // MARK: The cursor

  func plan(partial: String) -> CompletionPlan {
    if let awaiting { return valuePlan(awaiting, partial, lead: "") }
    if !isAfterTerminator, partial.hasPrefix("-") {
      if let equals = partial.firstIndex(of: "="), partial.hasPrefix("--"),
        let option = option(named: String(partial[..<equals])), option.kind == .option
      {
        let value = partial.index(after: equals)
        return valuePlan(option, String(partial[value...]), lead: String(partial[..<value]))
      }
      return optionPlan(partial)
    }
    return wordPlan(partial)
  }

  private func optionPlan(_ partial: String) -> CompletionPlan {
    var plan = CompletionPlan(partialValue: partial)
    var offered: [CommandTree.Argument] = command.arguments
    if let standard = command.defaultCommand, let next = command.command(named: standard) {
      offered += next.arguments
    }
    for option in offered where option.kind != .positional && !option.isHidden {
      if usedOptions.contains(option.preferredName), !option.isRepeating { continue }
      // Short names are quicker typed than completed.
      let names = option.names.filter { $0.hasPrefix("--") || partial == $0 }
      plan.fixed += names.map { CompletionCandidate($0, detail: option.help) }
    }
    return plan
  }

  private func wordPlan(_ partial: String) -> CompletionPlan {
    var plan = CompletionPlan(partialValue: partial)
    if !isAfterTerminator, positionals.isEmpty {
      plan.fixed = command.commands.filter { !$0.isHidden }
        .map { CompletionCandidate($0.name, detail: $0.abstract) }
    }
    let owner = command.defaultCommand.flatMap { command.command(named: $0) } ?? command
    if let argument = positional(of: owner) {
      let more = valuePlan(argument, partial, lead: "")
      plan.fixed += more.fixed
      plan.nouns = more.nouns
      plan.wantsFiles = more.wantsFiles
      plan.lead = more.lead
      plan.partialValue = more.partialValue
      plan.used = more.used
    }
    return plan
  }

  /// The positional argument that the next word is.
  private func positional(of command: CommandTree.Command) -> CommandTree.Argument? {
    let takers = command.arguments.filter { $0.kind == .positional && $0.isAfterTerminator == isAfterTerminator }
    if isAfterTerminator { return takers.first }
    for (index, argument) in takers.enumerated() where argument.isRepeating || index == positionals.count {
      return argument
    }
    return nil
  }

  private func valuePlan(_ argument: CommandTree.Argument, _ partial: String, lead: String) -> CompletionPlan {
    var plan = CompletionPlan(lead: lead, partialValue: partial)
    if !argument.values.isEmpty {
      plan.fixed = argument.values.map { CompletionCandidate($0) }
      return plan
    }
    let value = CompletionValue.of(argument)
    switch value {
    case .words(let words):
      plan.fixed = words.map { word, detail in
        CompletionCandidate(word, detail: detail, isComplete: !["=", "/"].contains(word.last))
      }
    case .condition: conditionPlan(partial, &plan)
    case .list(let words):
      // `a,b,c`: only what follows the last comma is looked at.
      let done = partial.lastIndex(of: ",").map { String(partial[...$0]) } ?? ""
      plan.lead += done
      plan.partialValue = String(partial.dropFirst(done.count))
      let chosen = Set(done.split(separator: ",").map(String.init))
      plan.fixed = words.filter { !chosen.contains($0) }.map { CompletionCandidate($0) }
    case .noun(let noun):
      let prefix = noun.rawValue + "/"
      if partial.hasPrefix(prefix) {
        plan.lead += prefix
        plan.partialValue = String(partial.dropFirst(prefix.count))
      }
      plan.nouns = [noun]
      if argument.kind == .positional { plan.used = Set(positionals) }
    case .payload:
      if partial.hasPrefix("@") {
        plan.lead += "@"
        plan.partialValue = String(partial.dropFirst())
        plan.wantsFiles = true
      }
    case .file: plan.wantsFiles = true
    case .text: break
    }
    return plan
  }

  /// `actor/NAME` and its like: the part before the slash, then names.
  private func conditionPlan(_ partial: String, _ plan: inout CompletionPlan) {
    for (prefix, noun) in [("actor/", CompletionNoun.actor), ("no-actor/", .actor), ("leader/", .leader)]
    where partial.hasPrefix(prefix) {
      plan.lead += prefix
      plan.partialValue = String(partial.dropFirst(prefix.count))
      plan.nouns = [noun]
      return
    }
    plan.fixed = ["peers>=", "actors>=", "actor/", "no-actor/", "leader/"].map {
      CompletionCandidate($0, isComplete: false)
    }
  }
}

/// What a value on the command line is, by its placeholder in the help.
enum CompletionValue: Sendable {
  case noun(CompletionNoun)
  case words([(String, String)])
  /// Words separated by commas.
  case list([String])
  case payload
  case file
  /// `peers>=N`, `actors>=N`, `actor/NAME`, …
  case condition
  case text

  /// Every placeholder that help texts use; a test holds this table against the command tree.
  static let byPlaceholder: [String: CompletionValue] = [
    "actor": .noun(.actor), "actors": .noun(.actor), "pattern": .noun(.actor), "target": .noun(.actor),
    "node": .noun(.node), "kind": .noun(.kind), "context": .noun(.context), "leader": .noun(.leader),
    "dead-letter": .noun(.deadLetter), "token": .noun(.token),
    "payload": .payload, "file": .file, "directory": .file, "certificate": .file,
    "role": .words(Role.allCases.map { ($0.rawValue, "") }),
    "format": .words(OutputFormat.named.map { ($0.name, $0.help) } + [("jsonpath=", ""), ("columns=", "")]),
    "when": .words(ColorMode.allCases.map { ($0.rawValue, "") }),
    "policy": .words(OverflowPolicy.allCases.map { ($0.rawValue, "") }),
    "framing": .words([("lines", "a line in, a line out"), ("json", "JSON envelopes, both ways")]),
    "level": .words(["trace", "debug", "info", "notice", "warning", "error", "critical"].map { ($0, "") }),
    "reason": .words(DeadLetter.Reason.allCases.map { ($0.rawValue, "") }),
    "status": .words(PeerReport.Status.allCases.map { ($0.rawValue, "") }),
    "event-kinds": .list(GridEvent.Kind.allCases.map(\.rawValue)),
    "work": .words([("ask", "measure round trips"), ("tell", "measure throughput")]),
    "log-form": .words([("text", ""), ("json", "")]),
    "shell": .words([("bash", ""), ("zsh", ""), ("fish", "")]),
    "column": .words(["mailbox", "rate", "time", "failures", "restarts", "name"].map { ($0, "") }),
    "check-format": .words(["text", "nagios", "prometheus", "json"].map { ($0, "") }),
    "color": .words(["red", "green", "yellow", "blue", "magenta", "cyan"].map { ($0, "") }),
    "condition": .condition,
    "requirement": .words([("all", "everybody"), ("quorum", "more than half"), ("any", "one of them")]),
    "topic": .words(HelpTopic.allCases.map { ($0.rawValue, $0.abstract) }),
  ]

  static func of(_ argument: CommandTree.Argument) -> CompletionValue { byPlaceholder[argument.valueName] ?? .text }
}
