internal import Glibc
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Testing

@testable internal import GridSystem

@Suite("Death of the node and of its guard", .timeLimit(.minutes(5)))
struct GuardDeathTests {
  @Test("kill -9 of a node ends its children and theirs, and frees its port at once")
  func killedNode() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let node = try await processGuard.spawn(try holder("hold"), on: eventLoop)
      let numbers = try await node.nextNumbers()
      try #require(numbers.count == 5)
      let port = UInt16(numbers[0])
      let processes = Array(numbers.dropFirst())
      #expect(processes.allSatisfy(isRunning))
      #expect(connectError(port: port) == 0)
      kill(node.processIdentifier, SIGKILL)
      #expect(try await node.exit == .signalled(SIGKILL))
      #expect(connectError(port: port) == ECONNREFUSED)
      #expect(bindError(port: port) == 0)
      try await waitUntilGone(processes)
    }
  }

  @Test("kill -9 of the guard: its children are lost and gone, and the next child gets a new guard")
  func killedGuard() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      var processes: [Int32] = []
      var children: [ChildProcess] = []
      for _ in 0..<5 {
        let child = try await processGuard.spawn(
          shell("trap '' TERM HUP; sleep 600 & echo $!; cat"), on: eventLoop)
        processes += [child.processIdentifier, try #require(try await child.nextNumbers().first)]
        children.append(child)
      }
      let guardProcess = try #require(processGuard.processIdentifier)
      kill(guardProcess, SIGKILL)
      for child in children {
        #expect(try await child.exit == .lost)
        #expect(await child.terminate() == .lost)
      }
      try await waitUntilGone(processes + [guardProcess])
      let next = try await processGuard.spawn(ProcessCommand("/bin/cat"), on: eventLoop)
      try await next.write("again")
      #expect(try await next.nextText() == "again")
      #expect(processGuard.processIdentifier != guardProcess)
    }
  }

  @Test("a node and its guard killed together still take everything below with them")
  func killedNodeAndGuard() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let node = try await processGuard.spawn(try holder("hold"), on: eventLoop)
      let numbers = try await node.nextNumbers()
      try #require(numbers.count == 5)
      kill(node.processIdentifier, SIGSTOP)
      kill(numbers[4], SIGKILL)
      kill(node.processIdentifier, SIGKILL)
      try await waitUntilGone([node.processIdentifier] + numbers.dropFirst())
    }
  }

  @Test("a keeper that is killed takes what it kept with it, and its child is reported")
  func killedKeeper() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("trap '' TERM; setsid sleep 600 & echo $PPID $!; cat"), on: eventLoop)
      let numbers = try await child.nextNumbers()
      try #require(numbers.count == 2)
      kill(numbers[0], SIGKILL)
      #expect(try await child.exit == .signalled(SIGKILL))
      try await waitUntilGone([child.processIdentifier, numbers[1]])
    }
  }

  @Test("neither the name nor the command line of a keeper has the name of a node")
  func keeperNames() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("cat /proc/$PPID/comm; tr '\\0' '|' </proc/$PPID/cmdline; echo"), on: eventLoop)
      let names = try await child.allTexts()
      try #require(names.count == 2)
      #expect(names[0] == "grid-keeper")
      #expect(names[1].hasPrefix("grid-keeper|") && !names[1].contains("gridctl"), "\(names)")
    }
  }

  @Test("starts that a dying guard interrupts fail or succeed, but never hang")
  func guardDiesWhileStarting() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      try processGuard.start()
      let guardProcess = try #require(processGuard.processIdentifier)
      await withTaskGroup(of: GridError?.self) { group in
        for _ in 0..<50 {
          group.addTask {
            do throws(GridError) {
              let child = try await processGuard.spawn(ProcessCommand("/bin/cat"), on: eventLoop)
              _ = await child.terminate(grace: .zero)
              return nil
            } catch {
              return error
            }
          }
        }
        kill(guardProcess, SIGKILL)
        for await error in group { #expect(error == nil || error == GridError(.unavailable, "")) }
      }
      try await wait(for: "no children") { processGuard.childCount == 0 }
    }
  }

  /// What connecting to the port of this machine says, as an `errno`.
  private func connectError(port: UInt16) -> Int32 { withAddress(port: port) { connect($0, $1, $2) } }

  /// What binding to the port says, as an `errno`.
  private func bindError(port: UInt16) -> Int32 { withAddress(port: port) { bind($0, $1, $2) } }

  private func withAddress(
    port: UInt16, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        call(file, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
      }
    }
  }
}
