import Foundation
import TestSupport

/// A cluster of one test: its own directories, gone with all its processes when the test ends.
final class Cluster {
  let directory: String

  init() throws {
    // Short, since a socket's path has room for 107 bytes.
    directory = "/tmp/gridctl-repl-" + UUID().uuidString.prefix(8)
    for name in ["run", "state", "config"] {
      try FileManager.default.createDirectory(
        atPath: "\(directory)/\(name)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
  }

  var gridctl: String { TestedPrograms.gridctl }

  var environment: [String: String] {
    var variables = TestedPrograms.inheritedEnvironment()
    variables["XDG_RUNTIME_DIR"] = directory + "/run"
    variables["XDG_STATE_HOME"] = directory + "/state"
    variables["XDG_CONFIG_HOME"] = directory + "/config"
    variables["HOME"] = directory
    variables["NO_COLOR"] = "1"
    return variables
  }

  var historyPath: String { directory + "/state/gridctl/history" }

  /// Starts nodes; returns once each serves.
  func start(_ names: String...) async throws {
    for name in names {
      let result = try await run("gridctl node start --name \(name) --listen 127.0.0.1:0 --detach")
      guard result.status == 0 else { throw TerminalProblem("node \(name): \(result.errors)") }
    }
  }

  /// Kills a node as a crash would.
  func kill(_ name: String) {
    for (identifier, words) in processes() where words.contains(name) && words.contains("start") {
      Foundation.kill(identifier, SIGKILL)
    }
  }

  /// The processes of this cluster, with their arguments.
  private func processes() -> [(pid_t, [String])] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { entry in
      guard let identifier = Int32(entry), identifier != getpid(),
        let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ"),
        String(decoding: environment, as: UTF8.self).contains(directory + "/run"),
        let line = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline")
      else { return nil }
      return (identifier, String(decoding: line, as: UTF8.self).split(separator: "\0").map(String.init))
    }
  }

  /// Runs a line of bash to its end, for a minute at most.
  func run(_ line: String, input: String? = nil) async throws -> (output: String, errors: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", line]
    process.environment = environment
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    let names = (0..<3).map { "\(directory)/\(UUID().uuidString).\($0)" }
    try (input ?? "").write(toFile: names[0], atomically: false, encoding: .utf8)
    for name in names[1...] { _ = FileManager.default.createFile(atPath: name, contents: nil) }
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: names[0]))
    // Files, not pipes: a node that keeps them open must not keep the test waiting.
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: names[1]))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: names[2]))
    let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
        let identifier = process.processIdentifier
        DispatchQueue.global().asyncAfter(deadline: .now() + 60) {
          if process.isRunning { Foundation.kill(identifier, SIGKILL) }
        }
      } catch { continuation.resume(throwing: error) }
    }
    defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
    func contents(_ name: String) -> String {
      String(decoding: FileManager.default.contents(atPath: name) ?? Data(), as: UTF8.self)
    }
    return (contents(names[1]), contents(names[2]), status)
  }

  /// A session on a terminal.
  func session(_ arguments: [String] = [], rows: Int = 24, columns: Int = 80) throws -> TerminalProgram {
    try TerminalProgram(
      [gridctl, "repl"] + arguments, environment: environment, directory: directory, rows: rows, columns: columns)
  }

  func close() {
    for (identifier, _) in processes() { Foundation.kill(identifier, SIGKILL) }
    try? FileManager.default.removeItem(atPath: directory)
  }
}

/// Runs `body` with a cluster of its own, and cleans up whatever it left.
func withCluster<Result>(_ body: (Cluster) async throws -> Result) async throws -> Result {
  let cluster = try Cluster()
  defer { cluster.close() }
  return try await body(cluster)
}
