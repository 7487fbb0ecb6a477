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
    try await Pager.show(try HelpText.of(words), writer: .shared, forbidsInput: global.noInput)
  }
}

/// The text that explains a command or topic.
enum HelpText {
  /// - Throws: ``GridError/Code/usage`` when there is none, with what was probably meant.
  static func of(_ words: [String]) throws(GridError) -> String {
    if words.count == 1, let topic = HelpTopic(rawValue: words[0]) { return topic.text }
    var command: any ParsableCommand.Type = Gridctl.self
    for word in words {
      let children = command.configuration.subcommands
      guard let next = children.first(where: { Suggestions.names(of: $0).contains(word) }) else {
        let known = children.flatMap(Suggestions.names) + (words.count == 1 ? HelpTopic.allCases.map(\.rawValue) : [])
        let similar = NameSimilarity.similar(to: word, in: known)
        throw GridError(
          .usage, "there is no help for \(NameRules.quoted(words.joined(separator: " ")))",
          hint: similar.isEmpty
            ? "topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", "))"
            : "similar: \(similar.joined(separator: ", "))")
      }
      command = next
    }
    let text = Gridctl.helpMessage(for: command)
    return text.hasSuffix("\n") ? text : text + "\n"
  }
}
