import Foundation
import Testing

/// Who did what, told afterwards.
@Suite struct AuditScenarioTests {
  private static let file = "state/gridctl/default/audit/n1.jsonl"
  private static let fields =
    "-o jsonpath='{range .items[*]}{.verb} {.result} {.caller.source} {.subject.name}{\"\\n\"}{end}'"

  @Test func whoDidWhatIsToldForSocketAndSecret() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let address = try await sandbox.address("n1")
      try await sandbox.output("gridctl spawn counter hits; gridctl tell hits 5; gridctl -e \(address) stop hits")
      _ = try await sandbox.run("gridctl restart nobody")
      #expect(
        try await sandbox.output("gridctl audit list \(Self.fields)") == """
          spawn begun socket hits
          spawn done socket hits
          stop begun secret hits
          stop done secret hits
          restart begun socket nobody
          restart failed socket nobody
          """)
      let user = try await sandbox.output("id -un")
      let first = try await sandbox.output(
        "gridctl audit list --verb spawn --limit 1 -o jsonpath='{.items[0].caller.name} {.items[0].caller.from}'")
      #expect(first == "\(user) unix")
      let from = try await sandbox.output(
        "gridctl audit list --verb stop --limit 1 -o jsonpath='{.items[0].caller.from}'")
      #expect(from.hasPrefix("127.0.0.1:"), "\(from)")
      let code = try await sandbox.output("gridctl audit list --verb restart --limit 1 -o jsonpath='{.items[0].code}'")
      #expect(code == "no-such-actor")
      #expect(try await sandbox.output("stat -c %a \(Self.file) state/gridctl/default/audit") == "600\n700")
      #expect(try await sandbox.output("gridctl audit list --verb 'sp*' --caller \(user) -o name | wc -l") == "2")
      #expect(try await sandbox.output("gridctl audit list --caller nobody -o name") == "")
      #expect(try await sandbox.output("gridctl audit list | head -1").hasPrefix("TIME "))
    }
  }

  @Test func onlyTheNodeOfTheClientWritesAndAllNodesTell() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl -e $(at n1) spawn counter far --on n2; gridctl -e $(at n2) stop far")
      let nodes = "-o jsonpath='{range .items[*]}{.node} {.verb} {.result}{\"\\n\"}{end}'"
      #expect(
        try await sandbox.output("gridctl -e $(at n1) audit list \(nodes)")
          == "n1 spawn begun\nn1 spawn done\nn2 stop begun\nn2 stop done")
      #expect(try await sandbox.output("gridctl audit verify -o jsonl | wc -l") == "2")
      // What a node has written outlives it, and is told by those on its machine.
      try await sandbox.output("gridctl node stop n2; eventually 'test $(gridctl peers -o name | wc -l) -ge 1'")
      try await sandbox.output("eventually 'gridctl -e $(at n1) audit list -o jsonl | grep -q node.stop'")
      let told = try await sandbox.eventually("gridctl -e $(at n1) audit list \(nodes)") {
        $0.status == 0 && $0.output.contains("n2 stop done")
      }
      #expect(told.output.contains("n2 stop done"), "\(told)")
    }
  }

  @Test func aMissingLineIsNamed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      for name in ["a", "b", "c"] { try await sandbox.output("gridctl spawn counter \(name)") }
      let whole = try await sandbox.run("gridctl audit verify")
      #expect(whole.status == 0 && whole.output.contains("yes"), "\(whole)")
      try await sandbox.output("sed -i 3d \(Self.file)")
      let broken = try await sandbox.run("gridctl audit verify -o jsonl")
      #expect(broken.status == 2, "\(broken)")
      #expect(broken.output.contains(#""file":"n1.jsonl","files":1,"line":3,"node":"n1","ok":false"#), "\(broken)")
      #expect(broken.errors.contains("the audit log of node n1 is broken at n1.jsonl line 3: "), "\(broken)")
      // The node goes on, and the break stays.
      try await sandbox.output("gridctl spawn counter d")
      #expect(try await sandbox.run("gridctl audit verify").status == 2)
    }
  }

  @Test func recordsAreFollowedAsTheyCome() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn counter before")
      let verbs = "-o jsonpath='{.verb} {.result} {.subject.name}{\"\\n\"}'"
      try await sandbox.output("gridctl -e $(at n1) audit tail --since 1h --count 4 \(verbs) >told 2>/dev/null &")
      try await sandbox.output("eventually 'test $(wc -l <told) = 2'; gridctl -e $(at n2) spawn counter after")
      try await sandbox.output("eventually 'test $(wc -l <told) = 4'")
      #expect(
        try await sandbox.output("cat told")
          == "spawn begun before\nspawn done before\nspawn begun after\nspawn done after")
    }
  }

  @Test func neitherArgumentsNorVariablesAreWritten() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn exec p -- env KEY=canary-1 cat canary-2; gridctl tell p canary-3")
      try await sandbox.output("gridctl spawn counter c --arg canary-4 || true")
      #expect(try await sandbox.run("grep -r canary state/gridctl/default/audit").status == 1)
      let program = "gridctl audit list --verb spawn -o jsonpath='{.items[0].subject.program}'"
      #expect(try await sandbox.output(program) == "env")
    }
  }

  @Test func whoIsRefusedIsWrittenDown() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.start("n1")
      try await sandbox.output("chmod 755 . run run/gridctl run/gridctl/default; chmod 777 run/gridctl/default/n1.sock")
      #expect(try await sandbox.run("\(user.prefix) gridctl -e $(at n1) peers").status == 77)
      try await sandbox.output("umask 077; head -c 32 /dev/urandom >wrong")
      let address = try await sandbox.address("n1")
      #expect(try await sandbox.run("gridctl --secret-file wrong -e \(address) stop x").status == 77)
      let denied = "gridctl audit list --denied -o jsonl"
      let told = try await sandbox.eventually(denied) { $0.output.contains("unix") && $0.output.contains("127.0.0.1") }
      let lines = told.output.split(separator: "\n").map(String.init)
      #expect(lines.count == 2, "\(told)")
      #expect(lines.first?.contains("\"name\":\"\(user.identifier)\"") == true, "\(told)")
      #expect(lines.last?.contains("the proof of the namespace's secret is wrong") == true, "\(told)")
      // It is an event, a finding and a number as well.
      let event = try await sandbox.output("gridctl events --kind node --since 1h --idle 200ms -o jsonl")
      #expect(event.contains(#""event":"login-refused""#) && event.contains("\"from\":\"127.0.0.1\""), "\(event)")
      let check = try await sandbox.run("gridctl check")
      #expect(check.status == 0 && check.output.contains("warning: log-ins: 2 were refused in the last 1h"), "\(check)")
      #expect(try await sandbox.run("gridctl check --max-refused-logins 1").status == 2)
      #expect(try await sandbox.output("gridctl node info -o jsonpath={.refusedConnections}") == "2")
    }
  }

  @Test(.enabled(if: Machine.canMount, "file systems cannot be mounted here"))
  func whatCannotBeWrittenDownIsNotDone() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("mkdir -p -m 700 state/gridctl/default/audit")
      try await sandbox.output("mount -t tmpfs -o size=64k,mode=700 tmpfs state/gridctl/default/audit")
      defer { _ = umount2("\(sandbox.directory)/state/gridctl/default/audit", Int32(MNT_DETACH)) }
      try await sandbox.start("n1")
      // Its record is longer than that of a spawn: where there is no room for that, there is none for this.
      let name = "an-actor-with-quite-a-long-name-as-they-go"
      try await sandbox.output("gridctl spawn counter \(name)")
      try await sandbox.output("head -c 200000 /dev/zero >state/gridctl/default/audit/fill 2>/dev/null || true")
      let refused = try await sandbox.eventually("gridctl spawn counter") { $0.status == 74 }
      #expect(refused.status == 74, "\(refused)")
      #expect(refused.errors.contains("no space left on the disk\n  make room under "), "\(refused)")
      let actors = try await sandbox.output("gridctl actors -o name | wc -l")
      #expect(try await sandbox.run("gridctl stop \(name)").status == 74)
      // Whoever looks, and whoever sends messages, is served.
      #expect(try await sandbox.output("gridctl tell \(name) 2 && gridctl ask \(name)") == "2")
      #expect(try await sandbox.output("gridctl actors -o name | wc -l") == actors)
      let check = try await sandbox.run("gridctl check")
      #expect(
        check.status == 2 && check.output.contains("critical: node n1: the audit log cannot be written"), "\(check)")
      try await sandbox.output("rm state/gridctl/default/audit/fill; gridctl check; gridctl stop \(name)")
      #expect(try await sandbox.run("gridctl audit verify").status == 0)
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root makes network namespaces"))
  func tenWrongProofsShutTheDoorForTheirHostAlone() async throws {
    try await withSandbox { sandbox in
      let inside = "ip link set lo up; ip address add 10.9.8.7/32 dev lo; "
      guard try await sandbox.run("unshare -n sh -c '\(inside) true'").status == 0 else { return }
      try await sandbox.output("umask 077; head -c 32 /dev/urandom >wrong")
      let script = """
        \(inside)
        gridctl node start --detach --name n1 --listen 0.0.0.0:4999 --advertise 127.0.0.1:4999 --insecure
        for turn in 1 2 3 4 5 6 7 8 9 10; do
          gridctl --secret-file wrong -e 10.9.8.7:4999 peers 2>/dev/null; echo $?
        done >before
        gridctl --secret-file wrong -e 10.9.8.7:4999 peers 2>after; echo $? >>after
        gridctl -e 10.9.8.7:4999 peers 2>right; echo $? >>right
        for turn in 1 2 3 4 5 6 7 8 9 10 11 12; do
          gridctl --secret-file wrong -e 127.0.0.1:4999 peers 2>/dev/null
        done
        gridctl -e 127.0.0.1:4999 peers -o name >local; echo $? >>local
        sleep 0.3
        gridctl audit list --denied -o jsonl >audit
        gridctl node stop n1
        """
      try script.write(toFile: "\(sandbox.directory)/script", atomically: true, encoding: .utf8)
      _ = try await sandbox.run("unshare -n bash script")
      #expect(try await sandbox.output("sort -u before") == "77")
      let after = try await sandbox.output("cat after")
      #expect(after.contains("too many log-ins from 10.9.8.7 have failed") && after.hasSuffix("\n75"), "\(after)")
      #expect(after.contains("nobody from there is let in for"), "\(after)")
      // Neither the right proof, which nobody has heard.
      #expect(try await sandbox.output("tail -1 right") == "75")
      // On loopback another user's wrong proofs shut out nobody.
      #expect(try await sandbox.output("cat local") == "peer/n1\n0")
      let audit = try await sandbox.output("cat audit")
      #expect(audit.split(separator: "\n").count { $0.contains("10.9.8.7") && $0.contains("proof") } == 10, "\(audit)")
      #expect(audit.contains("too many log-ins"), "\(audit)")
    }
  }
}
