internal import ArgumentParser
internal import GridCore

/// An actor on the command line: `NAME`, or `actor/NAME` as `-o name` prints it.
struct ActorArgument: ExpressibleByArgument, Sendable {
  private let text: String

  init(argument: String) { text = argument.hasPrefix("actor/") ? String(argument.dropFirst(6)) : argument }

  /// - Throws: ``GridError/Code/usage`` when it is no name.
  func validated() throws(GridError) -> String { try NameRules.validated(text, as: "actor") }
}
