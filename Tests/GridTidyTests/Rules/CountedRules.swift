/// Rules that some files do not keep yet: what each may still have of it is known, and only shrinks.
enum CountedRules {
  /// One thing that is counted.
  struct Rule: Sendable {
    /// The name of its list in `Ratchet.swift`.
    var list: String
    var known: [String: Int]
    var instead: String
    /// How many there are of it on a line, by its number in the file.
    var count: @Sendable (SwiftText, Int) -> Int
    /// What it is counted by: a file, or a room.
    var key: @Sendable (SwiftText) -> String?
  }

  static let all = [subscripts, waiting, publicNames]

  /// Members of JSON are named in codecs: types of GridCore and GridRequests, and what encodes for people or files.
  static let subscripts = Rule(
    list: "subscripts", known: Ratchet.subscripts,
    instead: "name members in the codec of a type of GridRequests, and use the type",
    count: { file, line in keys(in: file, line) },
    key: { file in codecs.contains { file.path.hasPrefix($0) } ? nil : file.path })

  /// Where JSON keys may stand.
  private static let codecs = [
    "Sources/GridCore/", "Sources/GridRequests/",
    // The expression language works on JSON as it is shown.
    "Sources/GridREPL/Language/", "Sources/GridCommands/Expressions/",
    // What they write or read is theirs alone: documents, lines of logs, the tree of ArgumentParser, the names of TAB.
    "Sources/GridCommands/Output/Renderer.swift", "Sources/GridCommands/Output/ErrorReport.swift",
    "Sources/GridCommands/Program/LineLogHandler.swift", "Sources/GridCommands/Program/CommandEnvironment.swift",
    "Sources/GridCommands/Watching/ListWatch.swift", "Sources/GridCommands/Completion/CommandTree.swift",
    "Sources/GridCommands/Completion/NameCache.swift",
  ]

  /// `value["key"]`, where a variable of the environment, which is in capitals, is no key.
  private static func keys(in file: SwiftText, _ line: Int) -> Int {
    let code = Array(file.code[line].utf8)
    let text = Array(file.lines[line].utf8)
    guard code.count == text.count, code.count > 3 else { return 0 }
    return (1..<code.count - 2).count { place in
      let before = code[place - 1]
      let isSubscript = before.isWordByte || ")]?".utf8.contains(before)
      guard code[place] == UInt8(ascii: "["), code[place + 1] == UInt8(ascii: "\""), isSubscript else { return false }
      let key = text[(place + 2)...].prefix { $0 != UInt8(ascii: "\"") }
      guard let first = key.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
      return key.allSatisfy(\.isWordByte) && code[(place + 2 + key.count)...].starts(with: "\"]".utf8)
    }
  }

  /// Waiting goes through `Timers`, and a task waits for a callback in GridConcurrency alone: so it runs in the
  /// simulation.
  static let waiting = Rule(
    list: "waiting", known: Ratchet.waiting,
    instead: "wait with timers.sleep(for:), Latch.wait(atMost:on:), Promise or withPromise of GridConcurrency",
    count: { file, line in places(of: waits, in: file, line) },
    key: { file in
      file.target == "GridConcurrency" || file.path == "Sources/GridSystem/Time/SystemClock.swift" ? nil : file.path
    })

  private static let waits = [
    "Task.sleep", "ContinuousClock", "SuspendingClock", "CheckedContinuation", "UnsafeContinuation",
    "withCheckedContinuation", "withCheckedThrowingContinuation", "withUnsafeContinuation", "clock_gettime(",
  ]

  /// What users of the library are promised.
  static let publicNames = Rule(
    list: "publicNames", known: Ratchet.publicNames,
    instead: "write package: what is promised stays for ever",
    count: { file, line in
      let words = Set(file.code[line].split { " (".contains($0) })
      return words.contains("public") && !words.contains("import") ? 1 : 0
    },
    key: { $0.target })

  private static func places(of tokens: [String], in file: SwiftText, _ line: Int) -> Int {
    tokens.reduce(0) { $0 + file.code[line].places(of: $1).count }
  }

  /// Compares what there is with what is known to be: nothing new, nothing more, no entry that could be lower.
  static func compare(_ rule: Rule, _ files: [SwiftText]) -> [Finding] {
    var present: [String: Int] = [:]
    for file in files {
      guard let key = rule.key(file) else { continue }
      let count = file.code.indices.reduce(0) { $0 + rule.count(file, $1) }
      if count > 0 { present[key, default: 0] += count }
    }
    var findings = present.compactMap { key, count -> Finding? in
      let known = rule.known[key] ?? 0
      guard count > known else { return nil }
      return Finding(path: key, line: 0, text: "\(rule.list): has \(count), \(known) at most: \(rule.instead)")
    }
    for (key, known) in rule.known where present[key] ?? 0 < known {
      let now = present[key].map { "has \($0) now: lower its entry" } ?? "has none now: remove its entry"
      findings.append(Finding(path: key, line: 0, text: "\(rule.list): \(now) in Ratchet.swift"))
    }
    return findings
  }
}
