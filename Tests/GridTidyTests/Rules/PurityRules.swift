/// The core decides and does nothing else: no clock, no lock, no task, no output, no dice of its own.
enum PurityRules {
  static let pureTargets: Set<String> = ["GridCore"]

  /// What reaches outside, and what to do instead.
  private static let impure: [(token: String, instead: String)] = [
    ("Date()", "take a CalendarTime as an argument"),
    ("ContinuousClock", "take a MonotonicTime as an argument"),
    ("SuspendingClock", "take a MonotonicTime as an argument"),
    ("clock_gettime", "take a MonotonicTime as an argument"),
    ("Task", "return an action; the node performs it"),
    ("withTaskGroup", "return an action; the node performs it"),
    ("withCheckedContinuation", "return an action; the node performs it"),
    ("Mutex", "be a value; whoever holds it locks"),
    ("Atomic", "be a value; whoever holds it locks"),
    ("print(", "return the text"),
    ("Logger", "return what happened; the node logs it"),
    ("UUID()", "take a generator as an argument"),
    ("SystemRandomNumberGenerator", "take a generator as an argument"),
    ("getenv", "take the value as an argument"),
    ("CommandLine", "take the value as an argument"),
    ("ProcessInfo", "take the value as an argument"),
    ("readLine", "take the text as an argument"),
  ]

  /// Calls that roll the system's dice unless a generator is named.
  private static let dice = [".random(", ".shuffled(", ".shuffle(", ".randomElement("]

  static func findings(in file: SwiftText) -> [Finding] {
    guard let target = file.target, pureTargets.contains(target) else { return [] }
    return file.code.enumerated().flatMap { index, line -> [Finding] in
      let reaching = impure.filter { line.hasToken($0.token) }
      let rolling = dice.filter { rollsUnseeded($0, line: index, of: file) }
      return reaching.map { file.finding(index, "\(target) is pure, not for \($0.token): \($0.instead)") }
        + rolling.map { file.finding(index, "\(target) is pure, not for \($0)…): name a generator with using:") }
    }
  }

  /// Whether a call that begins on the line has no `using:` before its parenthesis closes.
  private static func rollsUnseeded(_ call: String, line index: Int, of file: SwiftText) -> Bool {
    file.code[index].places(of: call).contains { place in
      let rest = [String(decoding: file.code[index].utf8.dropFirst(place + call.utf8.count), as: UTF8.self)]
      return !arguments(rest + file.code.dropFirst(index + 1).prefix(8)).hasToken("using:")
    }
  }

  /// The text up to the parenthesis that closes a call whose first one is open already.
  private static func arguments(_ lines: [String]) -> String {
    var depth = 1
    return String(
      lines.joined(separator: " ").prefix { character in
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        return depth > 0
      })
  }
}
