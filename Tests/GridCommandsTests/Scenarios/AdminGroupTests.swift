import Foundation
import Testing

/// The socket, and a group that may use it.
@Suite(.enabled(if: Machine.isRoot, "only root can play other users"))
struct AdminGroupTests {
  private static let group = 287_654_321

  private static func prefix(_ user: OtherUser, groups: String, first: Int? = nil) -> String {
    "setpriv --reuid=\(user.identifier) --regid=\(first ?? Int(user.identifier)) \(groups) "
      + "env -u XDG_RUNTIME_DIR -u XDG_STATE_HOME HOME=$PWD/home"
  }

  @Test func membersUseTheSocketAndNobodyElse() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.output("chmod 711 run; start --name n1 --admin-group \(Self.group)")
      let modes = "stat -c '%a %g' run/gridctl run/gridctl/default run/gridctl/default/n1.sock"
      #expect(try await sandbox.output(modes) == "750 \(Self.group)\n750 \(Self.group)\n660 \(Self.group)")
      #expect(try await sandbox.output("gridctl node info -o jsonpath='{.weakened[*]}'") == "--admin-group")
      #expect(try await sandbox.output("gridctl check").contains("its defaults are weakened: --admin-group"))
      let endpoint = sandbox.endpoint("n1")
      let member = Self.prefix(user, groups: "--groups \(Self.group),4")
      #expect(try await sandbox.output("\(member) gridctl -e \(endpoint) spawn counter hits -o name") == "actor/hits")
      let primary = Self.prefix(user, groups: "--clear-groups", first: Self.group)
      #expect(try await sandbox.output("\(primary) gridctl -e \(endpoint) actors -o name") == "actor/hits")
      #expect(
        try await sandbox.output("gridctl audit list --verb spawn --limit 1 -o jsonpath={.items[0].caller.name}")
          == String(user.identifier))
      // Somebody else does not even get to it; and where the modes were widened, is refused by name.
      #expect(try await sandbox.run("\(user.prefix) gridctl -e \(endpoint) peers").status != 0)
      try await sandbox.output("chmod 755 run/gridctl run/gridctl/default; chmod 777 run/gridctl/default/n1.sock")
      let stranger = try await sandbox.run("\(user.prefix) gridctl -e \(endpoint) peers")
      #expect(stranger.status == 77 && stranger.errors.contains("and for group \(Self.group)"), "\(stranger)")
      let denied = try await sandbox.eventually("gridctl audit list --denied -o jsonl") { !$0.output.isEmpty }
      #expect(denied.output.contains("\"name\":\"\(user.identifier)\""), "\(denied)")
    }
  }

  @Test func withoutItEverythingIsTheUsersAlone() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("umask 000; start --name n1")
      let modes = "stat -c %a run/gridctl run/gridctl/default run/gridctl/default/n1.sock"
      #expect(try await sandbox.output(modes) == "700\n700\n600")
      // A socket that was removed comes again as it was.
      try await sandbox.output("rm run/gridctl/default/n1.sock; eventually 'test -S run/gridctl/default/n1.sock'")
      #expect(try await sandbox.output(modes) == "700\n700\n600")
    }
  }

  @Test func aGroupThatIsNoneIsSaid() async throws {
    try await withSandbox { sandbox in
      let none = try await sandbox.run("gridctl node start --admin-group no-such-group-here")
      #expect(none.status == 78 && none.errors.contains("there is no group \"no-such-group-here\""), "\(none)")
      let root = try await sandbox.run("gridctl node start --admin-group root")
      #expect(root.status == 78, "\(root)")
    }
  }
}
