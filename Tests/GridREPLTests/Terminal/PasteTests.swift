import Foundation
import Testing

/// What is pasted into a terminal is a list of commands, and never an answer.
@Suite(.serialized)
struct PasteTests {
  private static let readme = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("README.md")

  /// The commands of a section, as somebody copies them.
  private static func commands(of section: String) throws -> [String] {
    let text = try String(contentsOf: readme, encoding: .utf8)
    let start = try #require(text.range(of: "\n## \(section)\n")).upperBound
    let end = text.range(of: "\n## ", range: start..<text.endIndex)?.lowerBound ?? text.endIndex
    return text[start..<end].split(separator: "\n").filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
  }

  private func shell(_ cluster: Cluster, bracketed: Bool) async throws -> TerminalProgram {
    let shell = try TerminalProgram(
      ["bash", "--noprofile", "--norc", "-i"], environment: cluster.environment.merging(["PS1": "ready> "]) { $1 },
      directory: cluster.directory, rows: 50, columns: 160)
    try await shell.prompt("ready>")
    if !bracketed {
      try shell.enter("bind 'set enable-bracketed-paste off'")
      try await shell.prompt("ready>")
    }
    return shell
  }

  @Test(arguments: [true, false])
  func theTourIsPastedAsAWhole(_ bracketed: Bool) async throws {
    try await withCluster { cluster in
      let shell = try await shell(cluster, bracketed: bracketed)
      let commands = try Self.commands(of: "A tour")
      #expect(commands.count > 20)
      let text = (commands + ["echo tour is over: $?"]).joined(separator: "\n")
      try shell.type(bracketed ? "\u{1B}[200~\(text)\u{1B}[201~\r" : text.replacing("\n", with: "\r") + "\r")
      try await shell.text("\ntour is over: 0\n", limit: .seconds(120))
      for line in ["500500", "1001000", "dead letters removed", "\n42\n", "node n3 has left", "node n1 has left"] {
        #expect(shell.screen.fullText.contains(line), "\(line): \(shell.screen.fullText)")
      }
      #expect(!shell.screen.fullText.contains("not done"))
    }
  }

  @Test func whatIsPastedIsNoAnswer() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let shell = try await shell(cluster, bracketed: false)
      try shell.type("gridctl node stop n1\ryes\ry\r")
      try await shell.wait("the question") { $0.cursorLine == "stop node n1? type yes to do it:" }
      // The rest of a paste may come later than the question.
      try shell.enter("gridctl peers -o name")
      try await shell.text("error: not done: stop node n1")
      try await shell.text("\"gridctl peers -o name\" is no answer; to be asked nothing, pass: --yes")
      try await shell.prompt("ready>")
      for (answer, isDone) in [("y", false), ("", false), ("no", false), ("YES", true)] {
        try shell.enter("clear; gridctl node stop n1")
        try await shell.wait("the question") { $0.cursorLine == "stop node n1? type yes to do it:" }
        try shell.enter(answer)
        try await shell.text(isDone ? "node n1 has left" : "error: not done: stop node n1")
        try await shell.prompt("ready>")
      }
    }
  }

  @Test func aSessionTakesNoPastedAnswerEither() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.type("node stop n1\ryes\r")
      try await session.wait("the question or its refusal") {
        $0.cursorLine == "stop node n1? type yes to do it:" || $0.fullText.contains("there is no command \"yes\"")
      }
      let peers = try await cluster.run("gridctl peers -o name")
      #expect(peers.output == "peer/n1\n")
    }
  }
}
