internal import Foundation
internal import TestSupport
internal import Testing

/// Clusters of real nodes in virtual time, as `GridSimulator` runs them: each in a process of its own, since a seed
/// replays only where hashes are the same.
@Suite("Simulated clusters", .timeLimit(.minutes(10)))
struct SimulationTests {
  /// How many seeds are run; a debug build takes more than a second for each.
  private static let count = ProcessInfo.processInfo.environment["GRID_SIMULATED_SEEDS"].flatMap(Int.init)

  @Test("no seed breaks a property", .enabled(if: count != nil, "set GRID_SIMULATED_SEEDS to how many are to be run"))
  func seeds() async throws {
    let run = try await Simulator.run("--seeds \(Self.count ?? 1) --nodes 5 --seconds 60")
    print(run.output, terminator: "")
    #expect(run.status == 0, "\(run.output)")
  }

  @Test("a seed replays: the same events in the same order, in another process")
  func replay() async throws {
    let first = try await Simulator.run("--seed 7 --nodes 3 --seconds 40 --trace")
    let second = try await Simulator.run("--seed 7 --nodes 3 --seconds 40 --trace")
    #expect(first.output.split(separator: "\n").count > 100)
    #expect(first.output == second.output)
  }

  @Test("every planted fault is found", .enabled(if: count != nil, "set GRID_SIMULATED_SEEDS"))
  func plants() async throws {
    let run = try await Simulator.run("--plants --seeds 1000 --nodes 3 --seconds 60")
    print(run.output, terminator: "")
    #expect(run.status == 0, "\(run.output)")
  }
}

/// The simulator that was built with the tests.
private enum Simulator {
  static func run(_ arguments: String) async throws -> (output: String, status: Int32) {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("simulator-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let output = directory.appendingPathComponent("output").path
    let process = try ShellProcess(
      "'\(TestedPrograms.built)/GridSimulator' \(arguments)",
      environment: ["PATH": "/usr/bin:/bin"], output: output, errors: directory.appendingPathComponent("errors").path)
    let status = await process.status()
    return (try String(contentsOfFile: output, encoding: .utf8), status)
  }
}
