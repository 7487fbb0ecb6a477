internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Testing

@testable internal import GridSystem

@Suite("Many children and much data", .timeLimit(.minutes(5)))
struct ProcessLoadTests {
  @Test("200 children at once, none left as a zombie")
  func manyChildren() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<200 {
          group.addTask {
            let child = try await processGuard.spawn(ProcessCommand("/bin/cat"), on: eventLoop)
            try await child.write("\(number)")
            #expect(try await child.nextText() == "\(number)")
            child.closeInput()
            #expect(try await child.exit == .exited(0))
          }
        }
        try await group.waitForAll()
      }
      #expect(processGuard.childCount == 0)
      let guardProcess = try #require(processGuard.processIdentifier)
      // A keeper tells the end of its child before its own.
      try await wait(for: "the keepers' end") {
        try contents(of: "/proc/\(guardProcess)/task/\(guardProcess)/children").isEmpty
      }
    }
  }

  @Test("500 starts, good and bad, leave no descriptor open")
  func descriptorsAreStable() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let helper = try await processGuard.spawn(try holder("respawn", "500"), on: eventLoop)
      let counts = try await helper.nextNumbers()
      #expect(try await helper.exit == .exited(0))
      try #require(counts.count == 2)
      #expect(counts[0] > 3)
      #expect(counts[1] <= counts[0])
    }
  }

  @Test("a line without an end is refused on standard output, cut on standard error, and takes little memory")
  func endlessLine() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let helper = try await processGuard.spawn(try holder("flood"), on: eventLoop)
      #expect(try await helper.nextText() == "undecodable")
      #expect(try await helper.nextText() == "65536 true")
      let peak = try #require(try await helper.nextNumbers().first)
      #expect(peak < 150 * 1024, "\(peak) KiB")
    }
  }

  @Test("a million lines go through a program in order")
  func manyLines() async throws {
    let count = 1_000_000
    let received = Mutex((lines: 0, isInOrder: true, hasEnded: false))
    var options = ChildProcess.Options()
    options.output = .handler { event in
      received.withLock { received in
        switch event {
        case .line(let line):
          received.lines += 1
          received.isInOrder = received.isInOrder && number(line) == received.lines
        case .quiet: break
        case .ended, .failed: received.hasEnded = true
        }
      }
    }
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(ProcessCommand("/bin/cat"), options: options, on: eventLoop)
      for index in 1...count { try await child.write(Array("\(index) message body".utf8)) }
      child.closeInput()
      #expect(try await child.exit == .exited(0))
      try await wait(for: "the end of the output") { received.withLock { $0.hasEnded } }
      #expect(received.withLock { $0.lines } == count)
      #expect(received.withLock { $0.isInOrder })
    }
  }
}

/// The decimal number a line begins with.
private func number(_ line: [UInt8]) -> Int {
  line.prefix { $0 != UInt8(ascii: " ") }.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
}
