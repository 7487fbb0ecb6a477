/// The parts of a text that explains something, as they are written in the sources: paragraphs that may be broken
/// anywhere, lines that begin with two blanks and stay as they are, and examples. Pure.
struct HelpBlocks: Equatable {
  enum Block: Equatable {
    case paragraph(String)
    /// Without the two blanks.
    case literal([String])
  }

  private(set) var blocks: [Block] = []
  /// The lines under `Examples:`, without their first two blanks.
  private(set) var examples: [String] = []

  init(_ text: String) {
    var paragraph: [String] = []
    var literal: [String] = []
    func end(_ blocks: inout [Block]) {
      if !paragraph.isEmpty { blocks.append(.paragraph(paragraph.joined(separator: " "))) }
      if !literal.isEmpty { blocks.append(.literal(literal)) }
      (paragraph, literal) = ([], [])
    }
    var isExample = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if isExample {
        if !line.isEmpty { examples.append(line.hasPrefix("  ") ? String(line.dropFirst(2)) : line) }
      } else if line == "Examples:" {
        isExample = true
      } else if line.isEmpty {
        end(&blocks)
      } else if line.hasPrefix("  ") {
        if !paragraph.isEmpty { end(&blocks) }
        literal.append(String(line.dropFirst(2)))
      } else {
        if !literal.isEmpty { end(&blocks) }
        paragraph.append(line)
      }
    }
    end(&blocks)
  }

  /// The blocks for a terminal: paragraphs broken at the width, all else as it is, a blank line before a paragraph.
  func lines(width: Int) -> [String] {
    blocks.reduce(into: []) { lines, block in
      switch block {
      case .paragraph(let text):
        if !lines.isEmpty { lines.append("") }
        lines += TextWrapping.lines(text, width: width)
      case .literal(let text): lines += text.map { "  " + $0 }
      }
    }
  }
}
