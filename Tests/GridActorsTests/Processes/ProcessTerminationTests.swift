internal import Glibc
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Testing

@testable internal import GridSystem

@Suite("How children end", .timeLimit(.minutes(5)))
struct ProcessTerminationTests {
  /// A child and a grandchild that ignore every polite signal; prints the id of the grandchild.
  private let stubborn = shell("trap '' TERM HUP INT; sleep 600 & echo $!; while :; do sleep 600; done")

  @Test("terminate is polite first")
  func polite() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("trap 'echo bye; exit 5' TERM; sleep 600 & echo ready; wait"), on: eventLoop)
      #expect(try await child.nextText() == "ready")
      #expect(await child.terminate(grace: .seconds(60)) == .exited(5))
      #expect(try await child.nextText() == "bye")
      #expect(try await child.nextText() == nil)
    }
  }

  @Test("terminate kills the whole group of a child that ignores everything")
  func stubbornGroup() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(stubborn, on: eventLoop)
      let grandchild = try #require(try await child.nextNumbers().first)
      #expect(isRunning(grandchild))
      #expect(await child.terminate(grace: .milliseconds(50)) == .signalled(SIGKILL))
      try await waitUntilGone([child.processIdentifier, grandchild])
      #expect(await child.terminate() == .signalled(SIGKILL), "a second time")
    }
  }

  @Test("terminate also ends a stopped child, and goes on in a cancelled task")
  func stoppedChild() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("kill -STOP $$"), on: eventLoop)
      try await wait(for: "the child to stop") {
        try contents(of: "/proc/\(child.processIdentifier)/status").contains("State:\tT")
      }
      let ending = Task { await child.terminate(grace: .seconds(60)) }
      ending.cancel()
      let status = await ending.value
      #expect(status == .signalled(SIGTERM) || status == .exited(0))
    }
  }

  @Test("what a child leaves behind in its group is killed when it ends")
  func leftBehind() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("trap '' TERM; sleep 600 & echo $!; exit 3"), on: eventLoop)
      let grandchild = try #require(try await child.nextNumbers().first)
      #expect(try await child.exit == .exited(3))
      try await waitUntilGone([grandchild])
    }
  }

  @Test("what left its session ends with the child, before that is told")
  func escaped() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("setsid sh -c 'echo $$; exec sleep 600' & read go; exit 4"), on: eventLoop)
      let escaped = try #require(try await child.nextNumbers().first)
      try await child.write("go")
      #expect(try await child.exit == .exited(4))
      #expect(!isRunning(escaped))
      #expect(try await child.nextLine() == nil)
    }
  }

  @Test("a daemon that was started twice removed, in a session of its own, ends with terminate")
  func daemon() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("(setsid sh -c 'sleep 600 & echo $!; exit 0' &); sleep 600"), on: eventLoop)
      let daemon = try #require(try await child.nextNumbers().first)
      #expect(isRunning(daemon))
      let end = await child.terminate(grace: .seconds(60))
      #expect(end == .signalled(SIGTERM))
      #expect(!isRunning(daemon))
    }
  }

  @Test("a child under a limit is killed when it passes, one that is under none or under the next is not")
  func limit() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      processGuard.extendLimit(until: bootTime() + .seconds(60), notice: .seconds(1))
      var options = ChildProcess.Options()
      options.limit = processGuard.currentLimit
      let limited = try await processGuard.spawn(stubborn, options: options, on: eventLoop)
      let free = try await processGuard.spawn(stubborn, on: eventLoop)
      _ = try await limited.nextNumbers()
      _ = try await free.nextNumbers()
      processGuard.endLimit()
      #expect(try await limited.exit == .signalled(SIGKILL))
      // Without a notice, which could come before the program has learnt to pay no heed to it.
      processGuard.extendLimit(until: bootTime() + .seconds(1), notice: .zero)
      options.limit = processGuard.currentLimit
      let next = try await processGuard.spawn(stubborn, options: options, on: eventLoop)
      // Nobody moves the limit, as when the node hangs.
      #expect(try await next.exit == .signalled(SIGKILL))
      let late = try? await processGuard.spawn(stubborn, options: options, on: eventLoop)
      #expect(try await late?.exit ?? .signalled(SIGKILL) == .signalled(SIGKILL), "its time was over before it began")
      #expect(free.exitStatus == nil)
    }
  }

  @Test("a child under a limit is asked to end before it")
  func notice() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      processGuard.extendLimit(until: bootTime() + .seconds(60), notice: .seconds(1))
      var options = ChildProcess.Options()
      options.limit = processGuard.currentLimit
      let child = try await processGuard.spawn(
        shell("trap 'exit 7' TERM; sleep 600 & echo ready; wait"), options: options, on: eventLoop)
      #expect(try await child.nextText() == "ready")
      // The next limit is an hour away, its notice has come.
      processGuard.extendLimit(until: bootTime() + .seconds(3600), notice: .seconds(7200))
      // A keeper looks at the limit whenever it wakes.
      child.signal(.resume)
      #expect(try await child.exit == .exited(7))
    }
  }

  @Test("the end of the output is not the end of the child")
  func endOfFileIsNotExit() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("exec 1>&- 2>&-; read go; exit 6"), on: eventLoop)
      #expect(try await child.nextLine() == nil)
      #expect(child.exitStatus == nil)
      try await child.write("go")
      #expect(try await child.exit == .exited(6))
    }
  }

  @Test("shutdown kills everything, says how each ended, and nothing starts after it")
  func shutdown() async throws {
    let processGuard = ProcessGuard()
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let child = try await processGuard.spawn(stubborn, on: eventLoop)
    let grandchild = try #require(try await child.nextNumbers().first)
    let guardProcess = try #require(processGuard.processIdentifier)
    await processGuard.shutdown()
    #expect(child.exitStatus == .signalled(SIGKILL))
    for process in [child.processIdentifier, guardProcess] {
      #expect(!isRunning(process), "\(process) is alive after shutdown")
    }
    // Nobody waits for a grandchild: the kernel ends it in its own time once it was killed.
    try await waitUntilGone([grandchild])
    await #expect(throws: GridError(.stopped, "")) { try await processGuard.spawn(stubborn, on: eventLoop) }
    await processGuard.shutdown()
  }

  @Test("a guard that is let go of ends with its children")
  func letGo() async throws {
    var processGuard: ProcessGuard? = ProcessGuard()
    let child = try await processGuard?.spawn(stubborn, on: MultiThreadedEventLoopGroup.singleton.next())
    processGuard = nil
    #expect(try await child?.exit == .signalled(SIGKILL))
  }

  @Test("a start that is cancelled leaves no child")
  func cancelledStart() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      for round in 0..<50 {
        let start = Task { () -> GridError? in
          for _ in 0..<round { await Task.yield() }
          do throws(GridError) { _ = try await processGuard.spawn(shell("sleep 600"), on: eventLoop) } catch {
            return error
          }
          return nil
        }
        start.cancel()
        #expect(await start.value == GridError(.cancelled, ""))
      }
      try await wait(for: "no children") { processGuard.childCount == 0 }
    }
  }
}
