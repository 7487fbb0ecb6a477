import Foundation
import Testing

/// A node under a service manager: what it says, and when.
@Suite struct ServiceTests {
  @Test(arguments: [true, false])
  func theManagerHearsThatItServesAndThatItLeaves(_ isPath: Bool) async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: isPath ? "\(sandbox.directory)/notify" : nil)
      try await sandbox.output(
        "NOTIFY_SOCKET=\(manager.name) gridctl node start --name n1 --listen 127.0.0.1:0 >out 2>err &")
      let first = try await manager.until("READY=1")
      #expect(first == [["READY=1"]])
      // No sooner than it serves: this waits for nothing.
      #expect(try await sandbox.output("gridctl peers -o name") == "peer/n1")
      let status = try await manager.until(
        "STATUS=node n1 of namespace default at \(try await sandbox.address("n1")): 1 node, 0 actors here")
      #expect(status.count == 1 && status[0].count == 1, "\(status)")
      let process = try await sandbox.processIdentifier(of: "n1")
      kill(process, SIGTERM)
      let last = try await manager.until("STOPPING=1")
      #expect(last == [["STOPPING=1", "STATUS=leaves the cluster"]])
      try await sandbox.output("eventually '! kill -0 \(process) 2>&-'; cat err")
      #expect(manager.next() == nil)
    }
  }

  @Test func aClientThatStopsItIsHeardOfAsWell() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.output(
        "NOTIFY_SOCKET=$PWD/notify gridctl node start --name n1 --listen 127.0.0.1:0 >out 2>err &")
      _ = try await manager.until("READY=1")
      try await sandbox.output("gridctl node stop n1")
      #expect(try await manager.until("STOPPING=1").last?.first == "STOPPING=1")
    }
  }

  @Test func aNodeThatDoesNotStartIsNeverReady() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.start("n1")
      let taken = try await sandbox.run("NOTIFY_SOCKET=$PWD/notify gridctl node start --name n1 --listen 127.0.0.1:0")
      #expect(taken.status == 73 && manager.next() == nil, "\(taken)")
      let wrong = try await sandbox.run("NOTIFY_SOCKET=notify gridctl node start --name n2 --listen 127.0.0.1:0")
      #expect(wrong.status == 78)
      #expect(wrong.errors.hasPrefix("error: NOTIFY_SOCKET: \"notify\" is no address of a socket\n"), "\(wrong.errors)")
    }
  }

  @Test func theWatchdogHearsOfItWhileItLives() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.output(
        """
        NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=100000 gridctl node start --name n1 --listen 127.0.0.1:0 >out 2>err &
        """)
      _ = try await manager.until("READY=1")
      for _ in 0..<5 { #expect(try await manager.until("WATCHDOG=1").last?.first == "WATCHDOG=1") }
      let process = try await sandbox.processIdentifier(of: "n1")
      kill(process, SIGSTOP)
      try await sandbox.output("eventually 'grep -q \"State:.T\" /proc/\(process)/status'")
      while manager.next() != nil {}
      try await Task.sleep(for: .seconds(1))
      #expect(manager.next() == nil, "one that hangs says nothing")
      kill(process, SIGCONT)
      #expect(try await manager.until("WATCHDOG=1").last?.first == "WATCHDOG=1")
    }
  }

  @Test func aNodeThatLosesItsLeaseLivesAndSaysWhy() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.output(
        """
        NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=100000 gridctl node start --name n1 --listen 127.0.0.1:0 >out 2>err &
        """)
      _ = try await manager.until("READY=1")
      // It cannot join again while its store is a directory.
      // The store is made anew as soon as it is gone: the directory must be quicker.
      try await sandbox.output(
        """
        cd state/gridctl/default; mkdir aside
        until mv -T aside coordination.sqlite 2>/dev/null; do rm -rf coordination.*; done
        """)
      let limit = ContinuousClock.now + .seconds(30)
      var isTold = false
      while !isTold, ContinuousClock.now < limit {
        let message = try await manager.until("WATCHDOG=1").last ?? []
        isTold = message.contains { $0.hasPrefix("STATUS=node n1 ") && $0.contains("outside of the cluster: ") }
      }
      #expect(isTold)
      #expect(try await manager.until("WATCHDOG=1").last?.first == "WATCHDOG=1")
    }
  }

  @Test func aDogThatWatchesAnotherProcessIsLeftAlone() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.output(
        """
        NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=1000 WATCHDOG_PID=1 gridctl node start --name n1 --listen 127.0.0.1:0 \
        >out 2>err &
        """)
      _ = try await manager.until("READY=1")
      try await sandbox.output("gridctl node stop n1")
      let all = try await manager.until("STOPPING=1")
      #expect(!all.flatMap { $0 }.contains("WATCHDOG=1"))
    }
  }

  @Test func aNodeInTheBackgroundSaysWhichProcessItIs() async throws {
    try await withSandbox { sandbox in
      let manager = try NotifyReceiver(path: "\(sandbox.directory)/notify")
      try await sandbox.output(
        """
        export NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=100000
        sh -c 'export WATCHDOG_PID=$$; exec gridctl node start --detach --name n1 --listen 127.0.0.1:0'
        """)
      let process = try await sandbox.processIdentifier(of: "n1")
      #expect(try await manager.until("READY=1") == [["READY=1", "MAINPID=\(process)"]])
      #expect(try await manager.until("WATCHDOG=1").last?.first == "WATCHDOG=1")
    }
  }

  @Test func itsDirectoriesAreThoseOfTheService() async throws {
    try await withSandbox { sandbox in
      _ = try await sandbox.output(
        """
        mkdir -p var lib; mkdir -m 755 var/gridctl; mkdir -m 700 lib/gridctl
        export RUNTIME_DIRECTORY=$PWD/var/gridctl STATE_DIRECTORY=$PWD/lib/gridctl
        start --name n1; gridctl node ping >ping
        test -S var/gridctl/default/n1.sock && test -s lib/gridctl/default/secret && test -z "$(ls run)$(ls state)"
        gridctl node stop n1
        """)
    }
  }

  @Test func rootFindsTheNodeOfAServiceThatRunsAsSomebodyElse() async throws {
    try await withSandbox { sandbox in
      guard Machine.canMount, let user = try await OtherUser.make(in: sandbox) else { return }
      let result = try await sandbox.run(
        """
        cat >inside <<'END'
        mount -t tmpfs -o mode=755 tmpfs /run || exit 99
        mkdir -m 755 /run/gridctl; mkdir -m 700 lib lib/gridctl; chown \(user.identifier) /run/gridctl lib lib/gridctl
        \(user.prefix) RUNTIME_DIRECTORY=/run/gridctl STATE_DIRECTORY=$PWD/lib/gridctl \
          gridctl node start --detach --name s1 --listen 127.0.0.1:0
        stat -c '%U %a' /run/gridctl/default/s1.sock | sed 's/.* //'
        gridctl peers -o name; gridctl spawn echo e && gridctl ask e hello; gridctl node stop --yes
        END
        unshare -m bash inside
        """)
      #expect(
        result.output == "node/s1\n600\npeer/s1\ne runs on s1\nhello\n" && result.errors == "node s1 has left\n",
        "\(result)")
    }
  }
}
