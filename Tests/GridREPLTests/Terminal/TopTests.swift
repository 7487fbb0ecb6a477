import Foundation
import Testing

/// `gridctl top` on a real terminal, against real nodes.
@Suite(.serialized)
struct TopTests {
  /// An actor that handles one message a second, with mail, on n2; another one without, on n1.
  private static let actors = """
    gridctl spawn exec importer --on n2 -- sh -c 'while read -r x; do sleep 100; done' \
      && gridctl spawn echo idle --on n1 && seq 3 | gridctl tell importer --lines -
    """

  private static func top(_ cluster: Cluster, _ arguments: [String] = [], rows: Int = 24, columns: Int = 80) throws
    -> TerminalProgram
  {
    try TerminalProgram(
      [cluster.gridctl, "top", "-d", "100ms"] + arguments, environment: cluster.environment,
      directory: cluster.directory, rows: rows, columns: columns)
  }

  @Test func arrowsEnterFilterAndHelp() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      #expect(try await cluster.run(Self.actors).status == 0)
      let top = try Self.top(cluster)
      try await top.wait("the table") { screen in
        screen.lines[0].hasPrefix("default   2 actors   3 waiting") && screen.lines[1].contains("n2 1 actor, 3 waiting")
          && screen.lines[4].hasPrefix("  importer") && screen.lines[5].hasPrefix("  idle")
      }
      try top.type("\u{1B}[B\u{1B}[B")
      try await top.wait("the mark") { $0.lines[5].hasPrefix("> idle") }
      try top.type("\u{1B}[A\r")
      try await top.wait("the actor") { screen in
        screen.text.contains("state:") && screen.text.contains("running on n2")
          && screen.text.contains("command:") && screen.text.contains("sh -c 'while read -r x; do sleep 100; done'")
      }
      try top.type("\u{1B}")
      try await top.wait("the table again") { $0.lines[4].hasPrefix("> importer") }
      try top.type("/idl")
      try await top.wait("the filter") { $0.lines[22] == "filter: idl_" && $0.lines[4].hasPrefix("  idle") }
      try top.type("\r?")
      try await top.wait("the help") { $0.text.contains("PgUp PgDn") }
      try top.type("x\u{1B}n")
      try await top.wait("all by name") { $0.lines[0].hasSuffix("by name") && $0.lines[4].hasPrefix("  idle") }
      #expect(!top.echoes)
      try top.type("q")
      #expect(try await top.exitCode() == 0)
      #expect(top.echoes && top.screen.unknown == [])
      #expect(String(decoding: top.bytes, as: UTF8.self).hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
    }
  }

  @Test(arguments: [("\u{3}", Int32(130)), ("\u{4}", 0)])
  func leavingPutsTheTerminalBack(_ key: String, _ code: Int32) async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let top = try Self.top(cluster)
      try await top.wait("the table") { $0.lines[0].hasPrefix("default   0 actors") }
      try top.type(key)
      #expect(try await top.exitCode() == code)
      #expect(top.echoes)
    }
  }

  @Test func aSignalPutsTheTerminalBack() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let top = try Self.top(cluster)
      try await top.wait("the table") { $0.lines[0].hasPrefix("default   0 actors") }
      kill(top.process, SIGTERM)
      #expect(try await top.exitCode() == 143)
      #expect(top.echoes)
    }
  }

  @Test func itGoesOnAtAnotherNode() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let socket = "unix:\(cluster.directory)/run/gridctl/default/n1.sock"
      let top = try Self.top(cluster, ["-e", socket])
      try await top.wait("both nodes") { $0.lines[1] == "n1 0 actors   n2 0 actors" }
      cluster.kill("n1")
      try await top.wait("the other node") { $0.lines[1].contains("n1 dead") && $0.lines[1].contains("n2 0 actors") }
      #expect(!top.screen.fullText.contains("warning:"))
      try top.type("q")
      #expect(try await top.exitCode() == 0)
      #expect(top.echoes)
    }
  }

  @Test func aClusterThatIsGoneEndsItWithTheTerminalPutBack() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let top = try Self.top(cluster, ["-t", "1s"])
      try await top.wait("the table") { $0.lines[0].hasPrefix("default   0 actors") }
      cluster.kill("n1")
      #expect(try await top.exitCode() == 69)
      #expect(top.echoes && String(decoding: top.bytes, as: UTF8.self).contains("error: the stream was lost"))
    }
  }

  @Test func narrowTerminalsKeepNameMailboxAndRate() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      #expect(try await cluster.run("gridctl spawn counter hits").status == 0)
      let top = try Self.top(cluster, rows: 8, columns: 30)
      try await top.wait("three columns") { screen in
        screen.lines[3].split(separator: " ") == ["NAME", "MAILBOX", "RATE"] && screen.lines[4].hasPrefix("  hits")
      }
      top.resize(rows: 24, columns: 120)
      try await top.wait("the others") { $0.lines[3].contains("PROCESSED") }
      try top.type("q")
      #expect(try await top.exitCode() == 0)
    }
  }

  @Test func aDumbTerminalGetsTheTableOnce() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      #expect(try await cluster.run("gridctl spawn counter hits").status == 0)
      let top = try TerminalProgram(
        ["/usr/bin/env", "TERM=dumb", cluster.gridctl, "top", "--window", "50ms"], environment: cluster.environment,
        directory: cluster.directory)
      #expect(try await top.exitCode() == 0)
      #expect(top.screen.text.contains("hits") && !top.bytes.contains(0x1B))
    }
  }
}
