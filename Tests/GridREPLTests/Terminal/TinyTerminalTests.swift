import Foundation
import Testing

/// Terminals of every size and kind: the session runs a line on each, and leaves.
@Suite(.serialized)
struct TinyTerminalTests {
  private static let kinds: [String?] = ["dumb", "xterm", nil, "no-such-terminal", ""]

  private func session(
    _ cluster: Cluster, rows: Int, columns: Int, terminal: String?, variables: [String: String] = [:]
  ) throws -> TerminalProgram {
    let unset = terminal == nil ? ["-u", "TERM"] : []
    let values = terminal.map { ["TERM=\($0)"] } ?? []
    return try TerminalProgram(
      ["env"] + unset + values + variables.map { "\($0.key)=\($0.value)" } + [
        cluster.gridctl, "repl", "-q", "--no-events",
      ],
      environment: cluster.environment, directory: cluster.directory, rows: rows, columns: columns)
  }

  @Test(arguments: kinds)
  func everySizeIsWorkedOn(_ terminal: String?) async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      for (rows, columns) in [(0, 0), (24, 1), (24, 2), (24, 3), (1, 80), (1, 1), (2, 2), (24, 7), (24, 16)] {
        let session = try session(cluster, rows: rows, columns: columns, terminal: terminal)
        let mark = "done-\(rows)-\(columns)"
        try session.enter("!touch \(mark)")
        try session.enter("exit 7")
        #expect(
          try await session.exitCode() == 7, "\(terminal ?? "unset") \(rows)×\(columns): \(session.screen.fullText)")
        #expect(FileManager.default.fileExists(atPath: "\(cluster.directory)/\(mark)"))
      }
    }
  }

  @Test(arguments: ["dumb", "xterm"])
  func aWindowMayShrinkToNothing(_ terminal: String) async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try session(cluster, rows: 24, columns: 80, terminal: terminal)
      try await session.prompt("default n1 1/1>")
      try session.type("tell nobody some text that is longer than a line of a narrow window\u{1}")
      for (rows, columns) in [(24, 40), (24, 2), (1, 1), (0, 0), (24, 3), (3, 80)] {
        session.resize(rows: rows, columns: columns)
        try session.type("\u{6}\u{6}\u{5}\u{2}")
      }
      try session.type("\u{15}\u{b}exit 7\r")
      #expect(try await session.exitCode() == 7)
    }
  }

  @Test func environmentsThatTellNonsenseAreSurvived() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      for variables in [
        ["COLUMNS": "1", "LINES": "1"], ["COLUMNS": "-5"], ["COLUMNS": "x"], ["LC_ALL": "no-such-locale"],
      ] {
        let session = try session(cluster, rows: 0, columns: 0, terminal: "dumb", variables: variables)
        try session.enter("exit 7")
        #expect(try await session.exitCode() == 7, "\(variables)")
      }
    }
  }

  @Test func historyAndSettingsThatAreNoFilesHoldNobodyUp() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run("mkfifo fifo; mkdir folder; mkfifo .inputrc; truncate -s 1T huge")
      for history in ["fifo", "folder", "huge", "/dev/zero", "nowhere/history"] {
        let session = try session(
          cluster, rows: 24, columns: 80, terminal: "xterm",
          variables: ["GRIDCTL_HISTFILE": history, "INPUTRC": "fifo"])
        try await session.prompt("default n1 1/1>")
        if history != "nowhere/history" { try await session.text("warning: ") }
        try session.enter("exit 7")
        #expect(try await session.exitCode() == 7, "\(history)")
      }
      let named = try session(
        cluster, rows: 24, columns: 80, terminal: "xterm", variables: ["INPUTRC": ""])
      try await named.prompt("default n1 1/1>")
      try named.enter("exit 7")
      #expect(try await named.exitCode() == 7)
    }
  }

  /// As root it would otherwise take the device from everybody else on the machine.
  @Test(.enabled(if: geteuid() == 0))
  func aHistoryThatIsADeviceKeepsItsMode() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let made = try await cluster.run("mknod -m 666 null c 1 3 && echo x > null")
      guard made.status == 0 else { return }
      let session = try session(
        cluster, rows: 24, columns: 80, terminal: "xterm", variables: ["GRIDCTL_HISTFILE": "null"])
      try await session.prompt("default n1 1/1>")
      try session.enter("peers -o name")
      try await session.text("\npeer/n1")
      try session.enter("exit 7")
      #expect(try await session.exitCode() == 7)
      #expect(try await cluster.run("stat -c %a null").output == "666\n")
    }
  }

  @Test func helpForWhatIsTypedHasAnExample() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try session(cluster, rows: 30, columns: 100, terminal: "xterm")
      try await session.prompt("default n1 1/1>")
      try session.type("ask ca\u{1B}OP")
      try await session.text("example: ask calc '2^10'")
      try await session.prompt("default n1 1/1> ask ca")
    }
  }
}
