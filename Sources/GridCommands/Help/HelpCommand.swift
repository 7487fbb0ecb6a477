internal import ArgumentParser
internal import GridCore

/// `gridctl help`
struct HelpCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "help", abstract: "Explain a command or a topic.",
    discussion: """
      Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")).

      Examples:
        gridctl help tell
        gridctl help dead-letters replay
        gridctl help output
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("A command, its subcommand, or a topic.", valueName: "topic"))
  var words: [String] = []

  func run() async throws {
    let writer = OutputWriter.shared
    try await Pager.show(
      try HelpText.of(words, width: writer.outputWidth), writer: writer, forbidsInput: global.noInput)
  }
}

/// The text that explains a command or topic.
enum HelpText {
  /// - Parameter width: terminal cells of a line; nil where nobody's terminal is at the end.
  /// - Throws: ``GridError/Code/usage`` when there is none, with what was probably meant.
  static func of(_ words: [String], width: Int?) throws(GridError) -> String {
    if words.count == 1, let topic = HelpTopic(rawValue: words[0]) { return topic.text(width: width) }
    let page = HelpPage(tree: .gridctl, width: width)
    if let text = page.text(of: words) { return text }
    let known = words.indices.compactMap { page.tree.command(at: Array(words[..<$0])) }.last ?? page.tree.root
    let isFirst = known.name == page.tree.root.name
    let names = known.commands.filter { !$0.isHidden }.map(\.name) + (isFirst ? HelpTopic.allCases.map(\.rawValue) : [])
    let near = CommandWords.near(words.first { known.command(named: $0) == nil } ?? "", in: names)
    throw GridError(
      .usage, "there is no help for \(NameRules.quoted(words.joined(separator: " ")))",
      hint: near.isEmpty
        ? "topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", "))"
        : "similar: \(near.joined(separator: ", "))")
  }
}
