/// Calls that have a better replacement here, named in the finding.
enum BannedCalls {
  private struct Ban {
    var tokens: [String]
    var instead: String
    /// The files that may.
    var allowedIn: [String] = []
  }

  /// Bans in `Sources`.
  private static let bans: [Ban] = [
    Ban(
      tokens: ["Task {", "Task.detached", "Task.immediate", "Task(priority", "Task(name", "Task.init"],
      instead: "add a child to the task group of the owner's run(), or hand the cell to UnstructuredTask",
      allowedIn: ["Sources/GridActors/Cells/UnstructuredTask.swift"]),
    Ban(
      tokens: ["Task(executorPreference"],
      instead: "add a child to a task group, with addTask(executorPreference:)",
      allowedIn: [
        "Sources/GridStoreEtcd/Connection/EngineTasks.swift", "Sources/GridActors/Cells/UnstructuredTask.swift",
      ]),
    Ban(tokens: ["try!"], instead: "let the error be thrown, or use try? and say what follows from nil"),
    Ban(tokens: ["as!"], instead: "use as? and handle nil"),
    Ban(
      tokens: ["fatalError(", "precondition(", "preconditionFailure(", "assertionFailure("],
      instead: "throw GridError(.software, …): nothing that comes from outside may end the node"),
    Ban(
      tokens: ["print(", "debugPrint(", "dump("],
      instead: "log it, or write it with OutputWriter, which knows of closed pipes",
      allowedIn: ["Sources/GridCommands/Output/OutputWriter.swift"]),
    Ban(
      tokens: ["Thread.sleep", "usleep", "nanosleep", "sleep("],
      instead: "timers.sleep(for:), or an event loop's scheduleTask: a blocked thread stalls every actor on it",
      allowedIn: ["Sources/GridConcurrency/Timers+Waiting.swift"]),
    Ban(tokens: ["Process()"], instead: "ProcessGuard: Foundation's leaks descriptors and signal dispositions"),
    Ban(
      tokens: ["bufferingPolicy: .unbounded"],
      instead: "bufferingNewest or bufferingOldest: every queue is bounded and says what happens when it is full"),
  ]

  /// Promises to the compiler that need a reason beside them.
  private static let promises = ["@unchecked Sendable", "nonisolated(unsafe)", "@preconcurrency import"]

  /// Marks of unfinished work; in pieces, so that this file has none.
  private static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

  /// Findings in a file under `Sources`.
  static func findings(in file: SwiftText) -> [Finding] {
    file.code.enumerated().flatMap { index, line -> [Finding] in
      let banned = bans.filter { !$0.allowedIn.contains(file.path) }.flatMap { ban in
        ban.tokens.filter { isCall($0, in: line) }.map { "\($0) is banned: \(ban.instead)" }
      }
      let unexplained = promises.filter { line.contains($0) && !hasReason(file.comments[index]) }
        .map { "\($0) needs its reason in a comment on the same line" }
      return (banned + unexplained).map { file.finding(index, $0) }
    }
  }

  /// Marks of unfinished work, anywhere in the repository's Swift.
  static func unfinished(in file: SwiftText) -> [Finding] {
    zip(file.code, file.comments).enumerated().flatMap { index, parts in
      unfinished.filter { parts.0.hasToken($0) || parts.1.hasToken($0) }
        .map { file.finding(index, "\($0): do it now, or write an issue") }
    }
  }

  /// Whether the token is a call of the global function or the type, not a member of the same name or a declaration.
  private static func isCall(_ token: String, in line: String) -> Bool {
    let bytes = Array(line.utf8)
    return line.places(of: token).contains { place in
      if place > 0, bytes[place - 1] == UInt8(ascii: ".") { return false }
      return !String(decoding: bytes[..<place], as: UTF8.self).hasSuffix("func ")
    }
  }

  private static func hasReason(_ comment: String) -> Bool {
    comment.split { " /*".contains($0) }.count > 2
  }
}
