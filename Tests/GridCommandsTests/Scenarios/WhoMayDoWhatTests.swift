import Foundation
import TestSupport
import Testing

@testable internal import GridCommands

/// SECURITY.md says who may do what; everybody tries everything.
@Suite struct WhoMayDoWhatTests {
  private typealias Column = AccessTable.Column

  private static let table: AccessTable = {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return AccessTable(
      markdown: (try? String(contentsOf: root.appendingPathComponent("SECURITY.md"), encoding: .utf8)) ?? "")
  }()

  @Test func everyCommandIsInTheTableAndTried() async throws {
    #expect(Self.table.faults == [])
    // The program itself is asked: it has commands that this room does not know.
    let dump = try await withSandbox { try await $0.output("gridctl --experimental-dump-help") }
    func leaves(_ command: CommandTree.Command, _ path: [String]) -> [[String]] {
      let below = command.commands.filter { !$0.isHidden }
      return below.isEmpty ? [path] : below.flatMap { leaves($0, path + [$0.name]) }
    }
    let commands = leaves(CommandTree(dump: dump).root, [])
    func isVariant(_ name: String, of command: [String]) -> Bool {
      name.split(separator: " ").map(String.init).starts(with: command)
    }
    for command in commands {
      #expect(Self.table.cells.keys.contains { isVariant($0, of: command) }, "SECURITY.md: \(command) is missing")
    }
    for name in Self.table.cells.keys {
      #expect(commands.contains { isVariant(name, of: $0) }, "SECURITY.md: \(name) is no command")
    }
    #expect(Set(AccessAttempt.all.map(\.name)).symmetricDifference(Self.table.asking) == [])
  }

  /// What the table says and what came of it, where these differ.
  private func expect(
    _ column: Column, _ caller: AccessCaller, _ verdicts: [String: [String: String]],
    at location: SourceLocation = #_sourceLocation
  ) {
    let differences = AccessAttempt.all.compactMap { attempt -> String? in
      guard let found = verdicts[attempt.name]?[caller.name] else { return nil }
      let told = Self.table.cells[attempt.name]?[column] ?? "nothing"
      return told == found ? nil : "\(attempt.name): SECURITY.md says \(told) to \(column.rawValue); \(found)"
    }
    #expect(differences.isEmpty, "\(caller.name):\n\(differences.joined(separator: "\n"))", sourceLocation: location)
  }

  /// Whoever was let in and refused something stands in the audit log with it.
  private func expectDenials(
    of caller: AccessCaller, _ verdicts: [String: [String: String]], in denials: Set<String>,
    at location: SourceLocation = #_sourceLocation
  ) {
    for attempt in AccessAttempt.all {
      guard let audited = caller.audited, let request = attempt.request,
        let verdict = verdicts[attempt.name]?[caller.name], verdict != "yes"
      else { continue }
      #expect(
        denials.contains("\(audited) \(request)"), "\(caller.name) \(attempt.name): \(denials.sorted())",
        sourceLocation: location)
    }
  }

  @Test func everybodyDoesWhatTheTableSaysAndNothingElse() async throws {
    try await withSandbox { sandbox in
      let stage = try await AccessStage(in: sandbox, preparing: ["operator"])
      let tokens = [
        "owner": "--role node", "operator": "--role operator", "viewer": "", "reader": "--bodies", "node": nil,
        "stranger": nil, "guesser": nil,
      ]
      for (name, token) in tokens { try await stage.makeHome(name, token: token) }
      try await stage.makeSecret("guesser")
      func caller(_ name: String, _ options: String) -> AccessCaller {
        AccessCaller(name: name, way: stage.way(name, options))
      }
      func files(_ name: String) -> String { "--tls-ca ca.pem --tls-cert ca/\(name).pem --tls-key ca/\(name).key" }
      let owner = AccessCaller(name: "owner", way: "gridctl")
      var olga = caller("operator", files("olga"))
      olga.audited = "olga"
      olga.prepared = "operator"
      var viewer = caller("viewer", "--tls-ca ca.pem --token-file homes/viewer/token")
      viewer.audited = try await sandbox.output("cut -d- -f2 homes/viewer/token")
      let reader = caller("reader", "--tls-ca ca.pem --token-file homes/reader/token")
      let node = caller("node", files("n2"))
      var stranger = caller("stranger", "")
      stranger.speaksPlainly = true
      let guesser = caller("guesser", "--tls-ca ca.pem")

      let before = try await stage.state()
      let outside = try await stage.tries(AccessAttempt.all, by: [viewer, node, stranger, guesser])
      let granted = AccessAttempt.all.filter { Self.table.cells[$0.name]?[.viewer] == "granted" }
      let read = try await stage.tries(granted, by: [reader])
      #expect(try await stage.state() == before, "somebody has changed something")
      expect(.viewer, viewer, outside)
      expect(.node, node, outside)
      expect(.stranger, stranger, outside)
      expect(.stranger, guesser, outside)
      for caller in [node, stranger, guesser] {
        let names = try await sandbox.run("\(caller.way) __complete zsh gridctl inspect ''")
        #expect(!names.output.contains("hits"), "\(caller.name): \(names)")
      }
      for attempt in granted { #expect(read[attempt.name]?["reader"] == "yes", "\(attempt.name): \(read)") }

      let changed = try await stage.tries(AccessAttempt.all, by: [olga])
      expect(.operator, olga, changed)
      let actors = try await sandbox.output("gridctl actors -o name")
      #expect(actors.contains("actor/made-by-operator") && !actors.contains("actor/stopped-operator"), "\(actors)")
      #expect(!actors.contains("actor/run-by-operator"), "\(actors)")
      #expect(try await sandbox.output("ls -d ran-by-* joins-by-* homes/*/joined 2>/dev/null || true") == "")
      let denials = try await stage.denials()
      expectDenials(of: viewer, outside, in: denials)
      expectDenials(of: olga, changed, in: denials)
      #expect(denials.contains(" log-in"), "\(denials)")

      var done = try await stage.tries(AccessAttempt.all.dropLast(), by: [owner])
      done.merge(try await stage.tries(AccessAttempt.all.suffix(1), by: [owner])) { $1 }
      expect(.owner, owner, done)
      #expect(try await sandbox.output("eventually 'test -f ran-by-owner'; cat homes/owner/joined | wc -c") == "32")
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root can play another user of the machine"))
  func anotherUserOfTheMachineDoesNothingThere() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else {
        try Test.cancel("another user cannot run the programs in \(TestedPrograms.searchPath)")
      }
      defer { user.remove() }
      let stage = try await AccessStage(in: sandbox)
      let closed = try await sandbox.run("\(user.prefix) gridctl -e \(sandbox.endpoint("n1")) peers")
      #expect(closed.status == 77 && closed.errors.contains("come over HOST:PORT"), "\(closed)")
      // Even where somebody has widened the modes: otherwise no node would be asked at all.
      try await sandbox.output("chmod 711 run run/gridctl run/gridctl/default; chmod 777 run/gridctl/default/n1.sock")
      try await stage.makeHome("socket", token: nil)
      try await stage.makeHome("loopback", token: nil)
      try await stage.makeSecret("loopback")
      try await sandbox.output("chown -R \(user.identifier) homes")
      func caller(_ name: String, _ options: String) -> AccessCaller {
        let home = "HOME=$PWD/homes/\(name)"
        return AccessCaller(name: name, way: "\(user.prefix) \(home) gridctl \(options)")
      }
      let callers = [
        caller("socket", "-e \(sandbox.endpoint("n1"))"), caller("loopback", "-e \(stage.address) --tls-ca ca.pem"),
      ]
      let before = try await stage.state()
      let verdicts = try await stage.tries(AccessAttempt.all, by: callers)
      #expect(try await stage.state() == before, "somebody has changed something")
      for caller in callers { expect(.otherUser, caller, verdicts) }
      #expect(try await stage.denials().isSuperset(of: ["\(user.identifier) log-in", " log-in"]))
    }
  }
}
