internal import ArgumentParser
internal import GridCore

/// The commands, options and arguments there are, as values: for completion, help and the manual.
package struct CommandTree: Sendable {
  /// One command and what is below it.
  package struct Command: Sendable {
    package var name: String
    package var aliases: [String]
    package var abstract: String
    package var discussion: String
    package var isHidden: Bool
    package var defaultCommand: String?
    package var commands: [Command]
    package var arguments: [Argument]

    /// The command below this one that a word names.
    package func command(named word: String) -> Command? {
      commands.first { $0.name == word || $0.aliases.contains(word) }
    }

    /// The option or flag that a word such as `--output` or `-o` names.
    package func option(named word: String) -> Argument? { arguments.first { $0.names.contains(word) } }
  }

  /// One option, flag or positional argument.
  package struct Argument: Sendable {
    package enum Kind: String, Sendable {
      case positional, option, flag
    }

    package var kind: Kind
    /// As they are typed: `--output`, `-o`.
    package var names: [String]
    /// The placeholder of the value in the help: `format`.
    package var valueName: String
    package var isRepeating: Bool
    package var isOptional: Bool
    package var isHidden: Bool
    /// Takes what stands after `--`.
    package var isAfterTerminator: Bool
    package var help: String
    package var values: [String]
    /// What it is where it is not given, as it would be typed; nil where the help says so in words, or there is
    /// nothing.
    package var standard: String?

    /// What it means, with its default said once.
    package var explanation: String {
      guard let standard, !standard.isEmpty else { return help }
      let text = help.hasSuffix(".") ? String(help.dropLast()) : help
      return "\(text) (default: \(standard))."
    }

    /// The name that help prefers: the long one.
    package var preferredName: String { names.first { $0.hasPrefix("--") } ?? names.first ?? valueName }
  }

  package var root: Command

  /// The tree of this program, with what was added to it before it was first looked at.
  package static let gridctl = CommandTree(dump: Gridctl._dumpHelp())

  /// Reads the parser's own description of its commands; what cannot be read is left out.
  init(dump: String) {
    let document = (try? JSONValue(parsing: dump)) ?? .null
    root = Self.command(document["command"] ?? .null)
  }

  init(root: Command) { self.root = root }

  /// What a command takes beside what all take; and of that what means something of its own there.
  func ownArguments(of command: Command, at path: [String]) -> [Argument] {
    command.arguments.compactMap { argument in
      if argument.isHidden { return nil }
      if argument.kind == .positional || root.option(named: argument.preferredName) == nil { return argument }
      guard let help = Self.meanings[path]?[argument.preferredName] else { return nil }
      var argument = argument
      argument.help = help
      return argument
    }
  }

  /// Options of all commands that mean something else for one.
  private static let meanings: [[String]: [String: String]] = [
    ["wait"]: ["--timeout": "How long to wait for it all (default: 30s)."]
  ]

  /// The command that a path of words leads to.
  package func command(at path: [String]) -> Command? {
    path.reduce(Optional(root)) { command, word in command?.command(named: word) }
  }

  private static func command(_ json: JSONValue) -> Command {
    Command(
      name: json["commandName"]?.stringValue ?? "", aliases: texts(json["aliases"]),
      abstract: json["abstract"]?.stringValue ?? "", discussion: json["discussion"]?.stringValue ?? "",
      isHidden: json["shouldDisplay"]?.boolValue == false,
      defaultCommand: json["defaultSubcommand"]?.stringValue,
      commands: commands(json["subcommands"]), arguments: (json["arguments"]?.arrayValue ?? []).compactMap(argument))
  }

  /// The parser adds a help command of its own after ours.
  private static func commands(_ json: JSONValue?) -> [Command] {
    var seen: Set<String> = []
    return (json?.arrayValue ?? []).map(command).filter { seen.insert($0.name).inserted }
  }

  private static func argument(_ json: JSONValue) -> Argument? {
    guard let kind = Argument.Kind(rawValue: json["kind"]?.stringValue ?? "") else { return nil }
    let names = (json["names"]?.arrayValue ?? []).compactMap { name -> String? in
      guard let text = name["name"]?.stringValue else { return nil }
      return (name["kind"]?.stringValue == "long" ? "--" : "-") + text
    }
    return Argument(
      kind: kind, names: names, valueName: json["valueName"]?.stringValue ?? "",
      isRepeating: json["isRepeating"]?.boolValue ?? false, isOptional: json["isOptional"]?.boolValue ?? false,
      isHidden: json["shouldDisplay"]?.boolValue == false,
      isAfterTerminator: json["parsingStrategy"]?.stringValue == "postTerminator",
      help: json["abstract"]?.stringValue ?? "", values: texts(json["allValues"]),
      standard: json["defaultValue"]?.stringValue)
  }

  private static func texts(_ json: JSONValue?) -> [String] { (json?.arrayValue ?? []).compactMap(\.stringValue) }
}
