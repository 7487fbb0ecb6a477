import Foundation
import TestSupport

/// What a command printed and how it ended.
struct ShellResult: Sendable {
  var output: String
  var errors: String
  var status: Int32
}

/// Files and environment of one test, gone when it ends: nothing of it is shared with another test or run.
final class Sandbox: Sendable {
  let directory: String

  init() throws {
    // Short, since a socket's path has room for 103 bytes.
    directory = "/tmp/gridctl-test-" + UUID().uuidString.prefix(8)
    for name in ["run", "state"] {
      try FileManager.default.createDirectory(
        atPath: "\(directory)/\(name)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
  }

  /// What the lines have beside gridctl: `eventually`, `pid`, `at`.
  private static let functions = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("functions.bash").path

  var environment: [String: String] {
    var variables = TestedPrograms.inheritedEnvironment()
    variables["XDG_RUNTIME_DIR"] = directory + "/run"
    variables["XDG_STATE_HOME"] = directory + "/state"
    variables["HOME"] = directory
    for name in [
      "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PAGER", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "NOTIFY_SOCKET",
      "WATCHDOG_USEC", "WATCHDOG_PID", "STATE_DIRECTORY", "RUNTIME_DIRECTORY",
    ] {
      variables[name] = nil
    }
    variables["BASH_ENV"] = Self.functions
    return variables
  }

  /// Runs a shell line; standard output and error are read to their end. A line that takes longer than `limit` is
  /// killed, and shows as status 137.
  @discardableResult
  func run(_ line: String, limit: Duration = .seconds(60), mergesErrors: Bool = false) async throws -> ShellResult {
    // Files, not pipes: a background process that keeps them open must not keep the test waiting.
    let output = URL(fileURLWithPath: "\(directory)/\(UUID().uuidString).out")
    let errors = URL(fileURLWithPath: "\(directory)/\(UUID().uuidString).err")
    let shell = try ShellProcess(
      "cd '\(directory)' || exit 125\n" + (mergesErrors ? "exec 2>&1; \(line)" : line), environment: environment,
      output: output.path, errors: errors.path)
    let limiter = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      kill(-shell.identifier, SIGKILL)
    }
    let status = await shell.status()
    limiter.cancel()
    defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
    return ShellResult(
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self), status: status)
  }

  /// Ends every process whose environment is of this sandbox, and removes its files.
  func close() {
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let identifier = Int32(entry), identifier != getpid(),
        let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ"),
        String(decoding: environment, as: UTF8.self).contains(directory + "/")
      else { continue }
      kill(identifier, SIGKILL)
    }
    try? FileManager.default.removeItem(atPath: directory)
  }
}

/// So many clusters at once: with all side by side, nodes would wait for a processor for longer than their leases.
private let sandboxes = Turnstile(places: 3)

/// Runs `body` in a sandbox of its own, and cleans up whatever it left.
func withSandbox<Result>(_ body: (Sandbox) async throws -> Result) async throws -> Result {
  await sandboxes.enter()
  defer { sandboxes.leave() }
  let sandbox = try Sandbox()
  defer {
    sandbox.expectNoCrash()
    sandbox.close()
  }
  return try await body(sandbox)
}

extension Sandbox {
  /// Runs a line until its output satisfies `condition`, for 30 s at most; the last result.
  func eventually(_ line: String, _ condition: (ShellResult) -> Bool) async throws -> ShellResult {
    let limit = ContinuousClock.now + .seconds(30)
    while true {
      let result = try await run(line)
      if condition(result) || ContinuousClock.now > limit { return result }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
