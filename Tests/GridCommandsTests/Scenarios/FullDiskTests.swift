import Foundation
import Testing

/// A disk that runs full under the state directory: everything else goes on, and it mends itself when there is room.
@Suite(.enabled(if: Machine.canMount, "file systems cannot be mounted here"))
struct FullDiskTests {
  @Test func aFullDiskIsToldAndSurvived() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("mkdir disk && mount -t tmpfs -o size=2m,mode=700 tmpfs disk")
      defer { _ = umount2("\(sandbox.directory)/disk", Int32(MNT_DETACH)) }
      try await sandbox.output("start --name n1 --state-dir $PWD/disk; start --name n2 --state-dir $PWD/disk")
      try await sandbox.output("gridctl spawn counter hits --on n2; gridctl spawn exec same --on n2 -- cat")
      let process = try await sandbox.processIdentifier(of: "n1")
      try await sandbox.output("head -c 4000000 /dev/zero >disk/fill 2>/dev/null || true")

      let spawned = try await sandbox.run("gridctl spawn counter more")
      // The store or the audit log says it, whichever has no room first.
      #expect([69, 74].contains(spawned.status), "\(spawned)")
      #expect(spawned.errors.contains("no space left on the disk\n  make room under"), "\(spawned.errors)")
      // What needs no disk goes on, and says what it cannot keep.
      #expect(try await sandbox.output("gridctl tell hits 2 && gridctl ask hits") == "2")
      #expect(try await sandbox.output("gridctl ask same hello") == "hello")
      #expect(try await sandbox.run("gridctl tell nobody lost -e $(at n1)").status == 67)
      let third = try await sandbox.run("start --name n3 --state-dir $PWD/disk")
      #expect([69, 74].contains(third.status), "\(third)")
      #expect(third.errors.contains("no space left on the disk"), "\(third.errors)")

      try await sandbox.output("rm disk/fill; eventually 'gridctl spawn counter more'")
      #expect(try await sandbox.output("eventually 'gridctl ask more 1'") == "1")
      let letters = "gridctl dead-letters list --to nobody -o name | wc -l"
      #expect(try await sandbox.eventually(letters) { $0.output == "1\n" }.output == "1\n")
      #expect(try await sandbox.processIdentifier(of: "n1") == process)
      try await sandbox.output("gridctl node stop n2; gridctl node stop n1")
    }
  }

  @Test func aNodeThatLostItsMembershipIsNotCalledWell() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("mkdir disk && mount -t tmpfs -o size=2m,mode=700 tmpfs disk")
      defer { _ = umount2("\(sandbox.directory)/disk", Int32(MNT_DETACH)) }
      try await sandbox.output("start --name n1 --state-dir $PWD/disk; start --name n2 --state-dir $PWD/disk")
      try await sandbox.output("gridctl spawn counter hits --on n1; gridctl check -e $(at n1)")
      try await sandbox.output("head -c 4000000 /dev/zero >disk/fill 2>/dev/null || true")
      let ill = try await sandbox.eventually("gridctl check -e $(at n1)") {
        $0.output.contains("critical: node n1: it is no member")
      }
      #expect(ill.status == 2)
      #expect(
        ill.output.contains("critical: node n1: it is no member of the cluster, and hosts no actors: "), "\(ill.output)"
      )
      let told = try await sandbox.eventually("gridctl check -e $(at n1)") { $0.output.contains("no space left") }
      #expect(
        told.output.contains("no space left on the disk") && told.output.contains("  make room under"), "\(told.output)"
      )
      #expect(try await sandbox.run("gridctl check -e $(at n1) --format nagios").status == 2)
      let peers = try await sandbox.run("gridctl peers -e $(at n1) -o jsonl")
      #expect(peers.status == 3 && peers.output.contains("\"status\":\"suspect\""), "\(peers)")
      #expect(peers.errors.contains("warning: node n1: it is no member of the cluster: "), "\(peers)")
      #expect(
        try await sandbox.output("gridctl node info -e $(at n1) -o jsonpath='{.member} {.problem}'").hasPrefix("false ")
      )
      let spawned = try await sandbox.run("gridctl spawn counter more -e $(at n1)")
      #expect([69, 74, 75].contains(spawned.status), "\(spawned)")
      try await sandbox.output("rm disk/fill")
      let well = try await sandbox.eventually("gridctl check -e $(at n1) --peers 2") { $0.status == 0 }
      #expect(well.status == 0 && well.output.contains("warning: membership: lost"), "\(well)")
    }
  }
}
