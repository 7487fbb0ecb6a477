import Foundation

/// Who may do what, as SECURITY.md tells it: a row for commands that are allowed to the same callers.
struct AccessTable {
  /// Who tries.
  enum Column: String, CaseIterable {
    case owner = "the node's own user"
    case `operator` = "an operator"
    case viewer = "a viewer"
    case node = "a node's certificate, from elsewhere"
    case stranger = "a stranger"
    case otherUser = "another user of the machine"
  }

  /// What the table says of a command that asks no node.
  static let asksNobody = "–"

  /// By command and column, what stands there: `yes`, `no`, `granted`, or the option of the node that makes it a yes.
  let cells: [String: [Column: String]]
  /// Commands that stand there twice, and lines that are no rows of it.
  let faults: [String]

  init(markdown: String) {
    var cells: [String: [Column: String]] = [:]
    var faults: [String] = []
    let lines = markdown.components(separatedBy: "\n")
    let header = "| command | " + Column.allCases.map(\.rawValue).joined(separator: " | ") + " |"
    if !lines.contains(header) { faults.append("there is no line \(header)") }
    // The line under the header has dashes alone.
    for line in lines.drop(while: { $0 != header }).dropFirst(2).prefix(while: { $0.hasPrefix("|") }) {
      let parts = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == Column.allCases.count + 1 else {
        faults.append(line)
        continue
      }
      let row = Dictionary(uniqueKeysWithValues: zip(Column.allCases, parts.dropFirst().map(Self.plain)))
      for command in parts[0].components(separatedBy: ", ").map(Self.plain) {
        if cells.updateValue(row, forKey: command) != nil { faults.append("\(command) stands there twice") }
      }
    }
    self.cells = cells
    self.faults = faults
  }

  /// Commands that some node is asked for.
  var asking: Set<String> { Set(cells.filter { $0.value[.owner] != Self.asksNobody }.keys) }

  private static func plain(_ text: String) -> String { text.replacingOccurrences(of: "`", with: "") }
}
