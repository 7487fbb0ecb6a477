internal import Glibc
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Testing

@testable internal import GridSystem

@Suite("What a child inherits", .timeLimit(.minutes(5)))
struct ChildIsolationTests {
  @Test("default signal dispositions and an empty mask")
  func signals() async throws {
    // As NIO does at its first pipe; set here so that the guard starts with something that must not be inherited.
    signal(SIGPIPE, SIG_IGN)
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        ProcessCommand("/bin/cat", arguments: ["/proc/self/status"]), on: eventLoop)
      let masks = try await child.allTexts().filter { $0.hasPrefix("Sig") && !$0.hasPrefix("SigQ") }
      #expect(masks == ["SigPnd", "SigBlk", "SigIgn", "SigCgt"].map { "\($0):\t0000000000000000" })
    }
  }

  @Test("no descriptor but 0, 1 and 2")
  func descriptors() async throws {
    // Of the kind a careless library leaves open across exec.
    let leak = open("/dev/null", O_RDONLY)
    defer { close(leak) }
    try await withProcessGuard { processGuard, eventLoop in
      let other = try await processGuard.spawn(ProcessCommand("/bin/cat"), on: eventLoop)
      for _ in 0..<3 {
        let child = try await processGuard.spawn(
          ProcessCommand("/bin/ls", arguments: ["-l", "/proc/self/fd"]), on: eventLoop)
        let links = try await child.allTexts().dropFirst().map { line in
          line.split(separator: " ").drop { $0.contains(":") == false }.dropFirst().joined(separator: " ")
        }
        #expect(links.count == 4, "\(links)")
        #expect(links.prefix(3).allSatisfy { $0.contains("-> pipe:") }, "\(links)")
        // The fourth is how ls reads the directory.
        #expect(links.last?.hasSuffix("/fd") == true, "\(links)")
      }
      #expect(other.exitStatus == nil)
    }
  }

  @Test("a session and a process group of its own, below a keeper, below the guard")
  func session() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("cat /proc/$$/stat; cut -d ' ' -f 2,4 /proc/$PPID/stat"), on: eventLoop)
      let fields = try #require(try await child.nextText()).split(separator: " ")
      let pid = String(child.processIdentifier)
      #expect([fields[0], fields[4], fields[5]] == [pid[...], pid[...], pid[...]])
      let keeper = try #require(try await child.nextText()).split(separator: " ")
      #expect(keeper.first == "(grid-keeper)")
      #expect(keeper.last.flatMap { Int32($0) } == processGuard.processIdentifier)
    }
  }

  @Test("the guard keeps nothing of the node open and goes by its own name")
  func guardItself() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      try processGuard.start()
      let process = try #require(processGuard.processIdentifier)
      try await wait(for: "the guard to settle") { try contents(of: "/proc/\(process)/comm") == "gridctl-guard\n" }
      try await wait(for: "its name") { try contents(of: "/proc/\(process)/cmdline").hasPrefix("gridctl-guard\0") }
      try await wait(for: "its signals") {
        try contents(of: "/proc/\(process)/status").contains("ShdPnd:\t0000000000000000\nSigBlk:\tfffffffe7ffbfeff")
      }
      // Polite signals do not end it: the node decides.
      for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1] { kill(process, signal) }
      let listing = try await processGuard.spawn(shell("read go; ls -l /proc/\(process)/fd"), on: eventLoop)
      #expect(processGuard.processIdentifier == process)
      // Once the start is reported the guard is done with the descriptors of the child.
      try await listing.write("go")
      let links = try await listing.allTexts().compactMap { $0.split(separator: " ").last }
      #expect(links.filter { $0 == "/dev/null" }.count == 3)
      // Those to the node and to the one keeper; and what the node sees the end of all keepers by.
      #expect(links.filter { $0.hasPrefix("socket:") }.count == 2)
      #expect(links.filter { $0.hasPrefix("pipe:") }.count == 1)
    }
  }
}
