internal import Glibc
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Testing

@testable internal import GridSystem

@Suite("Child processes", .timeLimit(.minutes(5)))
struct ChildProcessTests {
  @Test("lines go in and come out, and closing the input ends the program")
  func echo() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(ProcessCommand("cat", environment: testEnvironment), on: eventLoop)
      for text in ["hello", "", "with spaces", "ünïcödé", String(repeating: "x", count: 300_000)] {
        try await child.write(text)
        #expect(try await child.nextText() == text)
      }
      try await child.write("last")
      child.closeInput()
      #expect(try await child.allTexts() == ["last"])
      #expect(try await child.exit == .exited(0))
      #expect(await child.terminate() == .exited(0))
    }
  }

  @Test("arguments, environment and directory arrive as they are, and nothing else")
  func commandArrives() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      var command = shell(#"printf '%s\n' "$0" "$@"; pwd; env | sort"#)
      command.arguments += ["zero", "two words", "", "qu'ote\"", "*"]
      command.environment = ProgramEnvironment(["B": "x=y z", "A": ""])
      command.workingDirectory = "/usr/lib"
      let child = try await processGuard.spawn(command, on: eventLoop)
      #expect(
        try await child.allTexts() == [
          "zero", "two words", "", "qu'ote\"", "*", "/usr/lib", "A=", "B=x=y z", "PWD=/usr/lib",
        ])
    }
  }

  @Test(
    "exit codes and signals",
    arguments: [
      ("exit 0", .exited(0)), ("exit 1", .exited(1)), ("exit 255", .exited(255)), ("kill -9 $$", .signalled(9)),
      ("kill -TERM $$", .signalled(15)),
    ] as [(String, ProcessExitStatus)])
  func exitStatus(script: String, expected: ProcessExitStatus) async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(shell(script), on: eventLoop)
      #expect(try await child.exit == expected)
      #expect(child.exitStatus == expected)
      let observed = Mutex<ProcessExitStatus?>(nil)
      child.onExit { status in observed.withLock { $0 = status } }
      #expect(observed.withLock { $0 } == expected)
    }
  }

  @Test("a program that cannot be started says why")
  func startFailures() async throws {
    let cases: [(ProcessCommand, GridError.Code, String)] = [
      (
        ProcessCommand("no-such-program", environment: ["PATH": "/usr/bin:/bin"]), .noInput,
        "no such command: “no-such-program” (looked in PATH /usr/bin:/bin)"
      ),
      (ProcessCommand("/no/such/program"), .noInput, "no such command: “/no/such/program”"),
      (ProcessCommand("/etc/passwd"), .refused, "permission denied: “/etc/passwd”"),
      (ProcessCommand("/etc"), .refused, "permission denied: “/etc”"),
      (
        ProcessCommand("/bin/cat", workingDirectory: "/no/where"), .noInput,
        "no such directory to run “/bin/cat” in: /no/where"
      ),
      (
        ProcessCommand("/bin/cat", arguments: [String(repeating: "x", count: 200_000)]), .usage,
        "the arguments or environment of “/bin/cat” are longer than the system allows"
      ),
    ]
    try await withProcessGuard { processGuard, eventLoop in
      for (command, code, message) in cases {
        let error = await #expect(throws: GridError.self) { try await processGuard.spawn(command, on: eventLoop) }
        #expect(error?.code == code)
        #expect(error?.message == message)
      }
      #expect(processGuard.childCount == 0)
    }
  }

  @Test("scripts run with and without an interpreter line, and a missing interpreter is named as such")
  func scripts() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell(
          #"""
          d=$(mktemp -d) && cd "$d" || exit 1
          echo 'echo plain $0 $1' > plain; printf '#!/no/interpreter\n' > broken; chmod +x plain broken
          echo "$d"
          """#), on: eventLoop)
      let directory = try #require(try await child.nextText())
      // Here and not in the script, which is killed when the test fails.
      defer {
        for file in ["plain", "broken"] { unlink("\(directory)/\(file)") }
        rmdir(directory)
      }
      let plain = ProcessCommand("plain", arguments: ["x"], environment: ["PATH": "/bin:\(directory)"])
      #expect(try await processGuard.spawn(plain, on: eventLoop).allTexts() == ["plain \(directory)/plain x"])
      let error = await #expect(throws: GridError.self) {
        try await processGuard.spawn(ProcessCommand("\(directory)/broken"), on: eventLoop)
      }
      #expect(error?.message.contains("interpreter") == true)
      #expect(error?.code == .noInput)
    }
  }

  @Test("lines of standard error arrive, long ones cut")
  func standardError() async throws {
    let lines = Mutex<[String]>([])
    var options = ChildProcess.Options()
    options.maximumErrorLineBytes = 10
    options.standardError = { event in
      if case .line(let line, let isCut) = event {
        lines.withLock { $0.append(String(decoding: line, as: UTF8.self) + (isCut ? "…" : "")) }
      }
      return .all
    }
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("echo one >&2; echo 0123456789abc >&2; printf rest >&2"), options: options, on: eventLoop)
      _ = try await child.exit
      try await wait(for: "three lines") { lines.withLock { $0.count } == 3 }
      #expect(lines.withLock { $0 } == ["one", "0123456789…", "rest"])
    }
  }

  @Test("a handler gets every line in order, and none while it has paused")
  func handler() async throws {
    let events = Mutex<[ChildProcess.OutputEvent]>([])
    let started = Mutex<ChildProcess?>(nil)
    var options = ChildProcess.Options()
    options.output = .handler { event in
      let count = events.withLock { events in
        events.append(event)
        return events.count
      }
      if count == 3 { started.withLock { $0 }?.pauseReading() }
    }
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("read go; seq 1 6; read go"), options: options, on: eventLoop)
      started.withLock { $0 = child }
      try await child.write("go")
      try await wait(for: "three lines") { events.withLock { $0.count } == 3 }
      // The program has written everything and ended, and still nothing comes.
      child.closeInput()
      _ = try await child.exit
      try await eventLoop.submit {}.get()
      #expect(events.withLock { $0.count } == 3)
      child.resumeReading()
      try await wait(for: "the end") { events.withLock { $0.last } == .ended }
      #expect(events.withLock { $0 } == (1...6).map { .line(Array("\($0)".utf8)) } + [.ended])
      started.withLock { $0 = nil }
    }
  }

  @Test("a full queue stops the program, and a reader that comes late gets every line")
  func backPressure() async throws {
    var options = ChildProcess.Options()
    options.output = .queue(bytes: 4096)
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("seq 1 200000"), options: options, on: eventLoop)
      for number in 1...200_000 {
        guard try await child.nextText() == "\(number)" else {
          Issue.record("line \(number) is missing")
          break
        }
      }
      #expect(try await child.nextLine() == nil)
      #expect(try await child.nextLine() == nil)
    }
  }

  @Test("lines larger than the queue still come through")
  func lineLargerThanQueue() async throws {
    var options = ChildProcess.Options()
    options.output = .queue(bytes: 1)
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(
        ProcessCommand("cat", environment: testEnvironment), options: options, on: eventLoop)
      for round in 1...200 {
        try await child.write("round \(round)")
        #expect(try await child.nextText() == "round \(round)")
      }
    }
  }

  @Test("a line over the limit is a typed failure after the lines before it")
  func lineTooLong() async throws {
    var options = ChildProcess.Options()
    options.maximumLineBytes = 1000
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(
        shell("echo fine; head -c 100000 /dev/zero; sleep 600"), options: options, on: eventLoop)
      #expect(try await child.nextText() == "fine")
      await #expect(throws: GridError(.undecodable, "")) { try await child.nextLine() }
      await #expect(throws: GridError(.undecodable, "")) { try await child.nextLine() }
      #expect(child.exitStatus == nil)
    }
  }

  @Test("a writer waits for a program that does not read, and a cancelled one stops waiting")
  func writeWaits() async throws {
    var options = ChildProcess.Options()
    options.inputBufferBytes = 10_000
    try await withProcessGuard { [options] processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("read go < /dev/stderr; cat"), options: options, on: eventLoop)
      let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999)
      var accepted = 0
      var refusal: GridError?
      // A pipe holds 64 KiB; what is over that and the buffer must wait.
      while refusal == nil, accepted < 1000 {
        let writing = Task { () -> GridError? in
          do throws(GridError) { try await child.write(line) } catch { return error }
          return nil
        }
        writing.cancel()
        refusal = await writing.value
        if refusal == nil { accepted += 1 }
      }
      #expect(refusal == GridError(.cancelled, ""))
      #expect((10..<100).contains(accepted), "\(accepted)")
      #expect(try child.writeIfRoom(line) == nil)
      let stopped = Task { () -> GridError? in
        do throws(GridError) { while true { try await child.write(line) } } catch { return error }
      }
      _ = await child.terminate(grace: .zero)
      #expect(await stopped.value == GridError(.stopped, ""))
    }
  }

  @Test("writers get errors when the program closes its input")
  func brokenPipe() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(shell("exec 0<&-; echo closed; sleep 600"), on: eventLoop)
      #expect(try await child.nextText() == "closed")
      let error = await #expect(throws: GridError.self) { while true { try await child.write("x") } }
      #expect(error?.code == .handlerFailed)
      #expect(child.exitStatus == nil)
    }
  }

  @Test("a cancelled reader stops waiting, and takes no line with it")
  func cancelledReader() async throws {
    try await withProcessGuard { processGuard, eventLoop in
      let child = try await processGuard.spawn(ProcessCommand("cat", environment: testEnvironment), on: eventLoop)
      let reader = Task { () -> GridError? in
        do throws(GridError) { _ = try await child.nextLine() } catch { return error }
        return nil
      }
      reader.cancel()
      #expect(await reader.value == GridError(.cancelled, ""))
      try await child.write("kept")
      #expect(try await child.nextText() == "kept")
    }
  }
}
