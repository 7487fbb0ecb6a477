import Foundation
import Testing

/// What lies in the directories of a user is the user's alone, from its first moment.
@Suite struct PrivateFileTests {
  @Test(arguments: ["000", "022", "077"])
  func everythingThatIsMadeIsTheUsersAlone(_ mask: String) async throws {
    try await withSandbox { sandbox in
      let left = try await sandbox.output(
        """
        umask \(mask); exec 5>&1 >/dev/null
        start --name n1 --log-level debug --pid-file $PWD/state/gridctl/default/n1.pid
        gridctl spawn echo e; gridctl spawn exec p -- cat
        gridctl tell nobody x 2>/dev/null; gridctl ask nobody x 2>/dev/null; gridctl dead-letters list >/dev/null
        printf 'peers\\nask e x\\nexit\\n' >keys; mkfifo quiet; exec 7<>quiet
        timeout 20 script -qec 'gridctl repl' /dev/null <keys >/dev/null
        gridctl __complete bash 1 1 '' '' -- gridctl a >/dev/null 2>&1
        gridctl leader run l -- true
        gridctl context add shop -q -e 127.0.0.1:1; gridctl context use shop 2>/dev/null
        find run state .config .cache -mindepth 1 -perm /077 ! -type l 2>/dev/null >&5
        find run state .config .cache -type f 2>/dev/null | wc -l >count
        """)
      #expect(left == "")
      #expect(try #require(Int(try await sandbox.output("cat count"))) >= 8)
      #expect(try await sandbox.output("find state -name '*-wal' -o -name '*-shm' | wc -l") != "0")
    }
  }

  @Test func theSocketIsNeverOpenToOthers() async throws {
    try await withSandbox { sandbox in
      guard try await sandbox.run("command -v strace && strace -o /dev/null true").status == 0 else { return }
      try await sandbox.output(
        """
        umask 000
        strace -f -o calls -e trace=bind,chmod,fchmod,fchmodat,umask gridctl node start --name n1 --listen 127.0.0.1:0 \
        >out & eventually 'grep -q serves out'; gridctl node stop n1; wait
        """)
      let calls = try await sandbox.output("cat calls").split(separator: "\n")
      let bound = try #require(calls.firstIndex { $0.contains("bind(") && $0.contains("n1.sock") }, "\(calls)")
      // A bound file gets the mode of its socket, which was set before.
      #expect(calls[..<bound].contains { $0.contains("fchmod(") && $0.contains("0600") }, "\(calls)")
      #expect(!calls[bound...].contains { $0.contains("chmod(") && $0.contains(".sock") }, "\(calls)")
    }
  }

  @Test func aLinkInPlaceOfTheSocketIsRefusedAndNotFollowed() async throws {
    try await withSandbox { sandbox in
      for target in ["nowhere", "file"] {
        let result = try await sandbox.run(
          """
          umask 077; mkdir -p run/gridctl/default; echo content >file
          ln -sfn "$PWD/\(target)" run/gridctl/default/n1.sock
          gridctl node start --name n1 --listen 127.0.0.1:0
          """, limit: .seconds(20))
        #expect(result.status == 77, "\(target): \(result)")
        #expect(result.errors.contains("n1.sock is a symbolic link"), "\(target): \(result)")
        #expect(try await sandbox.output("cat file; ls nowhere 2>/dev/null; true") == "content")
      }
    }
  }
}
