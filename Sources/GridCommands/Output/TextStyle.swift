internal import GridCore

/// How a piece of text looks where colour is allowed. Colour only repeats what the text says.
enum TextStyle: Sendable {
  case plain, strong, good, caution, bad

  /// The text with this style around it.
  func applied(to text: String) -> String {
    let code: String
    switch self {
    case .plain: return text
    case .strong: code = "1"
    case .good: code = "32"
    case .caution: code = "33"
    case .bad: code = "31"
    }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  /// The style of the member `status` of a peer or an actor.
  static func status(_ row: JSONValue) -> TextStyle {
    switch Column.text(row, "status") {
    case "alive", "running": .good
    case "suspect", "restarting", "suspended", "stopping": .caution
    case "dead": .bad
    default: .plain
    }
  }
}

/// When colour is used: `--color`.
enum ColorMode: String, CaseIterable, Sendable {
  case auto, always, never

  /// - Throws: ``GridError/Code/usage`` with the modes there are.
  init(parsing text: String) throws(GridError) {
    guard let mode = ColorMode(rawValue: text) else {
      throw GridError(
        .usage, "unknown colour mode \(NameRules.quoted(text))",
        hint: "one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self = mode
  }

  /// Whether a stream gets colour.
  ///
  /// What the user typed wins; then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether anybody sees it (no-color.org,
  /// bixense.com/clicolors).
  func allowsColor(isTerminal: Bool, environment: [String: String]) -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .auto:
      if !(environment["NO_COLOR"] ?? "").isEmpty { return false }
      if !["", "0"].contains(environment["CLICOLOR_FORCE"] ?? "") { return true }
      return isTerminal && environment["TERM"] != "dumb"
    }
  }
}
