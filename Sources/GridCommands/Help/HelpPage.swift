internal import GridCore

/// The help of a command for a terminal of some width: what it does, how it is called, its own options, examples. Pure.
///
/// What every command takes is told once, by `gridctl help options`. Paragraphs fill the width; examples and other
/// lines that are to be typed are never broken.
struct HelpPage {
  let tree: CommandTree
  let width: Int

  /// A page that is not read on a terminal.
  static let usualWidth = 80
  /// Narrower than this nothing can be laid out.
  private static let narrowest = 24
  /// The column where explanations of options begin.
  private static let explanation = 26

  init(tree: CommandTree, width: Int?) {
    self.tree = tree
    self.width = max(Self.narrowest, width ?? Self.usualWidth)
  }

  /// The page of the command that a path leads to, nil when it leads nowhere; the first page for an empty path.
  func text(of path: [String]) -> String? {
    guard let command = tree.command(at: path) else { return nil }
    let lines = path.isEmpty ? firstPage : page(command, path)
    return lines.joined(separator: "\n") + "\n"
  }

  /// `gridctl tell [OPTIONS] ACTOR [PAYLOAD]`, nil when the path leads nowhere.
  func usage(of path: [String]) -> String? { tree.command(at: path).map { Self.usage($0, tree, path) } }

  // MARK: The first page

  private var firstPage: [String] {
    var lines = wrapped(tree.root.abstract) + ["", "  gridctl COMMAND [ARGUMENTS] [OPTIONS]", ""]
    let groups = CommandGroups.groups(of: tree.root.commands)
    for group in groups { lines += self.lines(of: group) }
    lines.append("")
    for (index, example) in HelpBlocks(tree.root.discussion).examples.enumerated() {
      lines.append((index == 0 ? "Begin" : "").padded(to: Self.margin) + example)
    }
    lines.append("")
    let topics = HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")
    lines += hanging("Help", "gridctl help COMMAND; gridctl help TOPIC, of \(topics)", at: Self.margin)
    return lines
  }

  private static let margin = 10
  private static let nameWidth = 13
  private static let entryWidth = 35

  /// Two commands a line where there is room for them.
  private func lines(of group: CommandGroups.Group) -> [String] {
    let perLine = width >= Self.margin + 2 * Self.entryWidth - 1 ? 2 : 1
    var lines: [String] = []
    var rest = group.entries[...]
    while !rest.isEmpty {
      let row = rest.prefix(perLine)
      rest = rest.dropFirst(perLine)
      let cells = row.enumerated().map { index, entry in
        let isLast = index == row.count - 1
        let room = (perLine == 1 ? width - Self.margin : Self.entryWidth - 1) - Self.nameWidth
        let brief = TerminalText.truncated(entry.brief, to: max(1, room))
        let text = entry.name.padded(to: Self.nameWidth) + brief
        return isLast ? text : text.padded(to: Self.entryWidth)
      }
      lines.append((lines.isEmpty ? group.title : "").padded(to: Self.margin) + cells.joined())
    }
    return lines
  }

  // MARK: One command

  private func page(_ command: CommandTree.Command, _ path: [String]) -> [String] {
    var lines = wrapped(command.abstract)
    lines += [""] + hanging("", Self.usage(command, tree, path), at: 2, next: 6)
    let blocks = HelpBlocks(command.discussion)
    if !blocks.blocks.isEmpty { lines += [""] + blocks.lines(width: width) }
    let children = command.commands.filter { !$0.isHidden }
    if !children.isEmpty {
      lines += ["", "Commands:"]
      for child in children {
        let note = child.name == command.defaultCommand ? " This is what no command means." : ""
        lines += hanging("  \(child.name)", child.abstract + note, at: 16)
      }
    }
    let own = tree.ownArguments(of: command, at: path)
    lines += section("Arguments:", own.filter { $0.kind == .positional })
    lines += section("Options:", own.filter { $0.kind != .positional })
    if !blocks.examples.isEmpty { lines += ["", "Examples:"] + blocks.examples.map { "  " + $0 } }
    lines.append("")
    if !children.isEmpty { lines += wrapped("gridctl help \(path.joined(separator: " ")) COMMAND tells more.") }
    lines += wrapped("Options of all commands: gridctl help options")
    return lines
  }

  private func section(_ title: String, _ arguments: [CommandTree.Argument]) -> [String] {
    arguments.isEmpty ? [] : ["", title] + options(arguments)
  }

  /// The lines of options or arguments.
  func options(_ arguments: [CommandTree.Argument]) -> [String] {
    arguments.flatMap { hanging("  " + Self.spelling($0), $0.explanation, at: Self.explanation) }
  }

  /// `-t, --timeout <duration>`.
  private static func spelling(_ argument: CommandTree.Argument) -> String {
    guard argument.kind != .positional else { return argument.valueName.uppercased() }
    let names = argument.names.sorted { ($0.count, $0) < ($1.count, $1) }.joined(separator: ", ")
    return argument.kind == .option ? "\(names) <\(argument.valueName)>" : names
  }

  private static func usage(_ command: CommandTree.Command, _ tree: CommandTree, _ path: [String]) -> String {
    var words = ["gridctl"] + path
    if !command.commands.isEmpty { words.append(command.defaultCommand == nil ? "COMMAND" : "[COMMAND]") }
    let own = tree.ownArguments(of: command, at: path)
    words.append("[OPTIONS]")
    for argument in own where argument.kind == .positional {
      let name = argument.valueName.uppercased() + (argument.isRepeating ? " ..." : "")
      let lead = argument.isAfterTerminator ? "-- " : ""
      words.append(argument.isOptional || argument.isAfterTerminator ? "[\(lead)\(name)]" : name)
    }
    return words.joined(separator: " ")
  }

  // MARK: Lines

  private func wrapped(_ text: String) -> [String] { TextWrapping.lines(text, width: width) }

  /// A word and what it means beside it, or below where the word is too long or the terminal too narrow.
  private func hanging(_ word: String, _ text: String, at column: Int, next: Int? = nil) -> [String] {
    let column = width >= 2 * column ? column : 6
    let further = next ?? column
    var lines = TextWrapping.lines(text, width: max(8, width - max(column, further)))
    guard TerminalText.width(word) < column || word.isEmpty else {
      return [word] + lines.map { "".padded(to: column) + $0 }
    }
    let first = word.padded(to: column) + lines.removeFirst()
    return [first] + lines.map { "".padded(to: further) + $0 }
  }
}

extension String {
  /// The text with blanks behind it, up to so many terminal cells.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - TerminalText.width(self)))
  }
}
