import Foundation
internal import GridCore
internal import Testing

@testable internal import GridCommands

/// What help looks like, for every command there is.
@Suite struct HelpPageTests {
  private static let tree = CommandTree.gridctl

  /// Every command with the words that lead to it.
  private static var paths: [[String]] {
    func below(_ command: CommandTree.Command, _ path: [String]) -> [[String]] {
      command.commands.filter { !$0.isHidden }.flatMap { [path + [$0.name]] + below($0, path + [$0.name]) }
    }
    return below(tree.root, [])
  }

  private static func lines(_ path: [String], width: Int? = nil) throws -> [String] {
    let text = try #require(HelpPage(tree: tree, width: width).text(of: path))
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  @Test func `the first page fits a terminal and has every command in a group`() throws {
    let lines = try Self.lines([], width: 80)
    #expect(lines.count < 24 && lines.allSatisfy { TerminalText.width($0) < 80 }, "\(lines)")
    let words = Set(lines.flatMap { $0.split(separator: " ").map(String.init) })
    for command in Self.tree.root.commands where !command.isHidden { #expect(words.contains(command.name)) }
    #expect(
      CommandGroups.groups(of: Self.tree.root.commands).map(\.title) == ["Messages", "Look", "Cluster", "Session"])
    // Commands come before anything else that there is to know.
    #expect(lines.firstIndex { $0.contains("tell") } ?? .max < 6)
  }

  @Test func `a command without a group is not lost`() {
    var command = Self.tree.root.commands[0]
    command.name = "novel"
    let groups = CommandGroups.groups(of: [command])
    #expect(groups.map(\.title) == ["Other"] && groups[0].entries.map(\.name) == ["novel"])
  }

  @Test(arguments: [30, 40, 60, 80, 120])
  func `paragraphs fill the width and examples are never broken`(_ width: Int) throws {
    for path in Self.paths {
      let command = try #require(Self.tree.command(at: path))
      let blocks = HelpBlocks(command.discussion)
      let literal = Set(
        blocks.examples
          + blocks.blocks.flatMap { block in if case .literal(let lines) = block { lines } else { [String]() } })
      for line in try Self.lines(path, width: width) where !literal.contains(String(line.dropFirst(2))) {
        // A name of an option has no place to be broken at.
        #expect(TerminalText.width(line) <= width || line.split(separator: " ").count <= 5, "\(path): \(line)")
      }
      let text = try Self.lines(path, width: width)
      for example in blocks.examples { #expect(text.contains("  " + example), "\(path): \(example)") }
    }
  }

  @Test func `a page has the command's own options and says where the others are`() throws {
    for path in Self.paths {
      let page = try Self.lines(path)
      #expect(page.last?.hasPrefix("Options of all commands: gridctl help options") == true, "\(path): \(page)")
      #expect(!page.contains { $0.hasPrefix("  -q, --quiet") || $0.contains("--no-headers") }, "\(path)")
    }
    let options = HelpTopic.options.text(width: 80)
    for option in Self.tree.root.arguments where !option.isHidden { #expect(options.contains(option.preferredName)) }
  }

  @Test func `a default is said once, and it is the true one`() throws {
    func look(_ command: CommandTree.Command) {
      for argument in command.arguments {
        let text = argument.explanation
        let rest = text.replacing(/\(default: [^)]*\)/, with: "(default)")
        #expect(
          rest.components(separatedBy: "default").count <= 2, "\(command.name) \(argument.preferredName): \(text)")
        if let standard = argument.standard, !standard.isEmpty {
          #expect(text.contains("(default: \(standard))"), "\(command.name) \(argument.preferredName): \(text)")
        }
      }
      for command in command.commands { look(command) }
    }
    look(Self.tree.root)
    let wait = try Self.lines(["wait"]).joined(separator: "\n")
    #expect(wait.contains("(default: 30s)") && !wait.contains("default: 5s"))
  }

  @Test func `no option takes a secret, only the file that has it`() {
    func names(_ command: CommandTree.Command) -> [String] {
      command.arguments.flatMap(\.names) + command.commands.flatMap(names)
    }
    let secrets = names(Self.tree.root).filter { $0.contains("secret") || $0.contains("token") || $0.contains("pass") }
    #expect(Set(secrets) == ["--secret-file", "--token-file", "--pass-env"])
  }

  @Test func `topics fill the width too, and keep what is to be typed`() {
    for topic in HelpTopic.allCases {
      let narrow = topic.text(width: 50)
      let prose = narrow.split(separator: "\n").filter { !$0.hasPrefix("  ") }
      #expect(prose.allSatisfy { TerminalText.width(String($0)) <= 50 }, "\(topic): \(prose)")
    }
    #expect(HelpTopic.output.text(width: 40).contains("  gridctl actors -o jsonpath='{.items[*].name}'\n"))
  }

  @Test func `the roles' table has a word for what takes more than a role`() {
    let words = RolesText.rows.map { $0.split(separator: " ").map(String.init) }
    #expect(words.contains(["deadLetters.body", "granted", "yes"]) && words.contains(["node.stop", "no", "here"]))
    for word in ["Granted: ", "Here: "] { #expect(RolesText.limits.contains(word)) }
  }

  @Test func `blocks are what the sources mean`() {
    let blocks = HelpBlocks("One\nparagraph.\n\nAnother:\n  as it is\n    deeper\nand on.\n\nExamples:\n  a\n  b | c\n")
    #expect(
      blocks.blocks == [
        .paragraph("One paragraph."), .paragraph("Another:"), .literal(["as it is", "  deeper"]), .paragraph("and on."),
      ])
    #expect(blocks.examples == ["a", "b | c"])
    #expect(HelpBlocks("").blocks == [])
  }
}

/// Words that are no commands.
@Suite struct CommandWordsTests {
  @Test(arguments: [
    ("ps", "actors"), ("ls", "actors"), ("list", "actors"), ("kill", "stop"), ("send", "tell"), ("call", "ask"),
    ("req", "ask"), ("status", "check"), ("members", "peers"), ("logs", "events"), ("LS", "actors"),
    ("peeers", "peers"), ("dead-leters", "dead-letters"), ("restat", "restart"),
  ])
  func `what was probably meant comes first`(_ word: String, _ expected: String) {
    let known = CommandHelp.commands().map(\.name) + ["restart"]
    #expect(CommandWords.near(word, in: known).first == expected)
  }

  @Test func `every word leads to a command that exists, and none is a command itself`() {
    let tree = CommandTree.gridctl
    // The session's commands are in a room above.
    let above: Set<String> = ["repl", "exit", "--version", "help options", "dead-letters tail"]
    for (word, meant) in CommandWords.synonyms {
      #expect(tree.root.command(named: word) == nil, "\(word) is a command")
      for command in meant where !above.contains(command) {
        #expect(tree.command(at: command.split(separator: " ").map(String.init)) != nil, "\(word): \(command)")
      }
    }
  }

  @Test func `only commands that stand there are named`() {
    #expect(CommandWords.near("ps", in: ["start", "stop"]) == [])
    let error = CommandWords.unknown("a\u{1B}b", in: ["start"], otherwise: "see: help")
    #expect(error.message == #"there is no command "a\u{1B}b""# && error.hint == "see: help")
    #expect(
      CommandWords.unknown("strat", after: ["node"], in: ["start"], otherwise: "").message
        == "there is no command node strat")
  }

  @Test(
    arguments: [
      ("-o json node start --bogus", ["node", "start"], nil), ("ps", [], "ps"),
      ("dead-letters lst", ["dead-letters"], "lst"),
      ("dead-letters --bogus", ["dead-letters"], nil), ("ask a b c", ["ask"], nil),
      ("node strat -t 5s", ["node"], "strat"),
      ("-t 5s tel x", [], "tel"), ("spawn exec a -- cat", ["spawn"], nil),
    ] as [(String, [String], String?)])
  func `a refused line is read as far as it goes`(_ line: String, _ path: [String], _ unknown: String?) {
    let reading = CommandLineReading(line.split(separator: " ").map(String.init))
    #expect(reading.path == path)
    let fault = reading.fault("Unknown option")
    #expect(fault.code == .usage && fault.message.hasPrefix("there is no command") == (unknown != nil))
    if let unknown { #expect(fault.message.hasSuffix(unknown)) } else { #expect(fault.message == "unknown option") }
  }

  @Test(arguments: [
    (["peers", "-o", "json"], OutputFormat.json), (["-ojsonl", "peers"], .jsonl), (["--output=yaml"], .yaml),
    (["tell", "--", "-o", "json"], .table), (["-o"], .table), (["-o", "xml"], .table),
  ])
  func `the format that was typed holds for a wrong line`(_ arguments: [String], _ format: OutputFormat) {
    #expect(CommandLineReading(arguments).format == format)
  }
}
