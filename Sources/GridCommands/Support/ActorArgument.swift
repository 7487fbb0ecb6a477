internal import ArgumentParser
internal import GridCore

/// An actor on the command line: its address, or `actor/ADDRESS` as `-o name` prints it.
struct ActorArgument: ExpressibleByArgument, Sendable {
  private let text: String

  init(argument: String) { text = argument.hasPrefix("actor/") ? String(argument.dropFirst(6)) : argument }

  /// - Throws: ``GridError/Code/usage`` when it is no address.
  func validated() throws(GridError) -> String { try ActorAddress(parsing: text).text }
}

/// What an ``ActorPatternArgument`` stands for.
enum ActorTarget: Sendable, Equatable {
  case name(String)
  case pattern(NamePattern)
}

/// Actors on the command line: `NAME`, `actor/NAME`, or a pattern in which `*` stands for any characters and `?` for
/// one.
struct ActorPatternArgument: ExpressibleByArgument, Sendable {
  private let argument: ActorArgument
  private let text: String

  init(argument: String) {
    self.argument = ActorArgument(argument: argument)
    text = argument.hasPrefix("actor/") ? String(argument.dropFirst(6)) : argument
  }

  /// - Throws: ``GridError/Code/usage`` when it is neither a name nor a pattern that a name could match.
  func target() throws(GridError) -> ActorTarget {
    guard text.contains(where: { $0 == "*" || $0 == "?" }) else { return .name(try argument.validated()) }
    let filled = String(text.map { $0 == "*" || $0 == "?" ? "x" : $0 })
    guard NameRules.isValid(filled) else {
      throw GridError(
        .usage, "no name can match the pattern \(NameRules.quoted(text))",
        hint: "names have letters, digits, - and _, at most \(NameRules.maximumLength) bytes; * and ? stand for them")
    }
    return .pattern(NamePattern(text))
  }
}
