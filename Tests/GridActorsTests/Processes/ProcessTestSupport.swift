internal import Glibc
internal import GridCore
internal import NIOCore
internal import NIOPosix
internal import Testing

@testable internal import GridSystem

let testEnvironment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"]

/// Runs `body` with a guard of its own, and ends it with all its children whatever happens.
func withProcessGuard(
  _ body: (_ processGuard: ProcessGuard, _ eventLoop: any EventLoop) async throws -> Void
) async throws {
  let processGuard = ProcessGuard()
  do {
    try await body(processGuard, MultiThreadedEventLoopGroup.singleton.next())
  } catch {
    await processGuard.shutdown()
    throw error
  }
  await processGuard.shutdown()
}

/// A script for `/bin/sh`.
func shell(_ script: String) -> ProcessCommand {
  ProcessCommand("/bin/sh", arguments: ["-c", script], environment: testEnvironment)
}

/// The tests' own helper program, which lies beside the program that runs the tests.
func holder(_ arguments: String...) throws -> ProcessCommand {
  let path = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
    count = buffer.withMemoryRebound(to: CChar.self) { buffer in
      buffer.baseAddress.map { max(0, readlink("/proc/self/exe", $0, buffer.count)) } ?? 0
    }
  }
  let directory = String(decoding: path, as: UTF8.self).split(separator: "/").dropLast().joined(separator: "/")
  return ProcessCommand("/\(directory)/ProcessHolder", arguments: arguments, environment: testEnvironment)
}

extension ChildProcess {
  /// The next line as text.
  func nextText() async throws -> String? { try await nextLine().map { String(decoding: $0, as: UTF8.self) } }

  /// Every line up to the end of the output.
  func allTexts() async throws -> [String] {
    var texts: [String] = []
    while let text = try await nextText() { texts.append(text) }
    return texts
  }

  /// The next line as numbers.
  func nextNumbers() async throws -> [Int32] {
    try #require(try await nextText()).split(separator: " ").compactMap { Int32($0) }
  }

  /// Hands over one line of text.
  func write(_ text: String) async throws { try await write(Array(text.utf8)) }
}

/// Whether a process of that number runs; one that has ended and waits to be reaped does not.
func isRunning(_ process: Int32) -> Bool {
  guard kill(process, 0) == 0 || errno == EPERM else { return false }
  guard let status = try? contents(of: "/proc/\(process)/status") else { return false }
  return !status.contains("State:\tZ")
}

/// The time by the clock that run limits go by.
func bootTime() -> MonotonicTime {
  var time = timespec()
  clock_gettime(CLOCK_BOOTTIME, &time)
  return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}

/// Waits until none of the processes runs.
func waitUntilGone(_ processes: [Int32], sourceLocation: SourceLocation = #_sourceLocation) async throws {
  try await wait(for: "the end of \(processes)", sourceLocation: sourceLocation) {
    !processes.contains(where: isRunning)
  }
}

/// Looks again and again until `condition` holds, for at most 30 s.
func wait(
  for event: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(30)
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain for \(event)", sourceLocation: sourceLocation)
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// The text of a file under `/proc`.
func contents(of path: String) throws -> String {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw GridError(.noInput, "cannot open \(path)") }
  defer { close(file) }
  var bytes: [UInt8] = []
  while true {
    let chunk = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
      count = max(0, read(file, buffer.baseAddress, buffer.count))
    }
    guard !chunk.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
    bytes += chunk
  }
}
