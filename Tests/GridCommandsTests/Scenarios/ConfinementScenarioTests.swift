import Foundation
import GridCore
import Testing

@testable internal import GridCommands

/// Programs that may do and use less than their node.
@Suite struct ConfinementScenarioTests {
  @Test func limitsOfTheCommandLineAndOfAKindsFileReachTheProgram() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        printf 'kinds: { small: { command: [sh, -c, "while read -r n; do ulimit -$n; done"], \
        rlimits: { nofile: 64, core: unlimited, memory: 4GiB } } }' >kinds.yaml
        start --name n1 --kinds-file kinds.yaml
        gridctl spawn small s
        gridctl spawn exec e --rlimit nofile=70:80 --rlimit cpu=5m -- sh -c 'while read -r n; do ulimit -$n; done'
        """)
      for (actor, flag, value) in [
        ("s", "Sn", "64"), ("s", "Hn", "64"), ("s", "Sv", "4194304"), ("e", "Sn", "70"), ("e", "Hn", "80"),
        ("e", "St", "300"),
      ] {
        #expect(try await sandbox.output("gridctl ask \(actor) \(flag)") == value, "\(actor) \(flag)")
      }
      let page = try await sandbox.output("gridctl inspect e")
      #expect(page.contains("cpu 300, nofile 70:80"), "\(page)")
      #expect(try await sandbox.output("gridctl inspect e -o jsonpath='{.exec.limits.nofile.hard}'") == "80")
    }
  }

  @Test func aProgramOfAnotherUserNeedsANodeOfRoot() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let script = "while read -r x; do id -un; done"
      let spawn = "gridctl spawn exec who --user nobody --working-directory / -- sh -c '\(script)'"
      guard Machine.isRoot else {
        let refused = try await sandbox.run(spawn)
        #expect(refused.status == 77 && refused.errors.contains("only a node that root has started"), "\(refused)")
        return
      }
      try await sandbox.output(spawn)
      #expect(try await sandbox.output("gridctl ask who x") == "nobody")
      #expect(try await sandbox.output("gridctl inspect who").contains("user nobody"))
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      let foreign = try await sandbox.run(
        """
        export GRIDCTL_CONFIG_DIR=$PWD/home/c
        \(user.prefix) gridctl node start --name n2 --detach && \(user.prefix) \(spawn)
        status=$?; \(user.prefix) gridctl node stop n2 --yes >/dev/null 2>&1; exit $status
        """)
      #expect(foreign.status == 77, "\(foreign)")
      #expect(foreign.errors.contains("only a node that root has started may change the user"), "\(foreign)")
    }
  }

  @Test func whatIsNoLimitIsRefusedBeforeAnythingIsAsked() async throws {
    try await withSandbox { sandbox in
      for (options, told) in [
        ("--rlimit nofile", "is no limit"), ("--rlimit files=3", "unknown resource"),
        ("--rlimit nofile=x", "no limit of nofile"), ("--rlimit nofile=-1", "no limit of nofile"),
        ("--rlimit nofile=9:3", "the soft one above the hard one"), ("--rlimit as=lots", "is no size"),
        ("--rlimit nofile=1 --rlimit nofile=2", "nofile is limited twice"), ("--cgroup here", "is no absolute path"),
        ("--user ''", "the program's user is empty"), ("--rlimit nofile=unlimited:3", "the soft one above"),
      ] {
        let refused = try await sandbox.run("gridctl spawn exec x \(options) -- cat")
        #expect(refused.status == 64 && refused.errors.contains(told), "\(options): \(refused)")
      }
      let plain = try await sandbox.run("gridctl spawn echo x --user nobody")
      #expect(plain.status == 64 && plain.errors.contains("takes no command"), "\(plain)")
    }
  }
}
