internal import Foundation
internal import GridActors
internal import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOPosix
internal import Testing

/// Runs `body` with a way to start processes, and ends them all afterwards.
func withProcesses(_ body: (_ start: (String...) async throws -> ChildProcess) async throws -> Void) async throws {
  let processGuard = ProcessGuard()
  let directory = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    .split(separator: "/").dropLast().joined(separator: "/")
  do {
    try await body { (arguments: String...) in
      try await processGuard.spawn(
        ProcessCommand("/\(directory)/StoreHolder", arguments: arguments, environment: ["PATH": "/usr/bin:/bin"]),
        on: MultiThreadedEventLoopGroup.singleton.next())
    }
  } catch {
    await processGuard.shutdown()
    throw error
  }
  await processGuard.shutdown()
}

extension ChildProcess {
  /// The next line as text.
  func line() async throws -> String? { try await nextLine().map { String(decoding: $0, as: UTF8.self) } }

  func send(_ signal: Int32) { kill(processIdentifier, signal) }
}

/// Looks again and again until `condition` holds, for at most 60 s.
func wait(
  for event: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain for \(event)", sourceLocation: sourceLocation)
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// The code of the error that `body` throws, nil when it throws none.
func code(_ body: () async throws -> Void) async throws -> GridError.Code? {
  do { try await body() } catch let error as GridError { return error.code }
  return nil
}
