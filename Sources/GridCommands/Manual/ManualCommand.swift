internal import ArgumentParser
internal import GridCore
internal import GridSystem

/// `gridctl __manual`: writes the pages of the manual that are made from the program and from the link's document.
struct ManualCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "__manual", abstract: "Write the manual.", shouldDisplay: false)

  @Argument(help: .hidden)
  var directory: String
  @Option(help: .hidden)
  var linkDocument: String?

  func run() async throws {
    var pages = ManualPages(tree: .gridctl).all
    if let linkDocument {
      pages["gridctl-link.5"] = MarkdownPage.link(
        String(decoding: try UserFile.read(linkDocument, as: .script), as: UTF8.self))
    }
    for (name, text) in pages.sorted(by: { $0.key < $1.key }) {
      try PrivateFile.replace("\(directory)/\(name)", with: Array(text.utf8), mode: 0o644)
    }
  }
}
