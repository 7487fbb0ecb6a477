internal import Foundation
internal import GridTestKit
internal import TestSupport
internal import Testing

/// Clusters of real nodes in virtual time, as `GridSimulator` runs them: each in a process of its own, since a seed
/// replays only where hashes are the same.
///
/// `make check` runs a handful with the debug build, which takes a second for each; `make test` has the release build
/// of the simulator run a thousand, and every planted fault.
@Suite("Simulated clusters", .serialized, .timeLimit(.minutes(20)))
struct SimulationTests {
  /// A seed that broke something once, and what that was.
  struct Regression: Sendable, CustomTestStringConvertible {
    var seed: Int
    var what: String

    var testDescription: String { "seed \(seed): \(what)" }
  }

  @Test("no seed breaks a property")
  func seeds() async throws {
    guard Simulator.isRelease else { return try await run(1...8) }
    for first in stride(from: 1, through: 1000, by: 100) { try await run(first...first + 99) }
  }

  @Test(
    "what a seed has found does not come back",
    arguments: [
      Regression(seed: 62, what: "a claim that was lost took over one made beside it, and gave it back"),
      Regression(seed: 245, what: "a message that waited for a look-up was overtaken once its actor was here"),
    ])
  func regressions(_ regression: Regression) async throws { try await run(regression.seed...regression.seed) }

  private func run(_ seeds: ClosedRange<Int>) async throws {
    let run = try await Simulator.run("--first \(seeds.lowerBound) --seeds \(seeds.count) --nodes 5 --seconds 60")
    print("seeds \(seeds): \(run.output)", terminator: "")
    #expect(run.status == 0, "\(run.output)")
  }

  @Test("a seed replays: the same events in the same order, in another process")
  func replay() async throws {
    let first = try await Simulator.run("--seed 7 --nodes 3 --seconds 50 --trace")
    let second = try await Simulator.run("--seed 7 --nodes 3 --seconds 50 --trace")
    #expect(first.output.split(separator: "\n").count > 100)
    #expect(first.output == second.output)
  }

  /// Which faults the first few seeds find: enough for the debug build.
  private static let quick: Set<Plant> = [.grantsTwice, .forgetsRelease, .renewsEndedLease]

  @Test(
    "a planted fault is found within a thousand seeds",
    arguments: Plant.allCases.filter { Simulator.isRelease || quick.contains($0) })
  func plants(_ plant: Plant) async throws {
    let run = try await Simulator.run("--plant \(plant.rawValue) --seeds 1000 --nodes 5 --seconds 60")
    print("\(plant.rawValue): \(run.output)", terminator: "")
    #expect(run.status == 0, "\(plant.rawValue) is not found: \(run.output)")
  }
}

/// The simulator: the one that `GRID_SIMULATOR` names, or the one that was built with the tests.
private enum Simulator {
  private static let release: String? = {
    guard let path = ProcessInfo.processInfo.environment["GRID_SIMULATOR"], !path.isEmpty else { return nil }
    return path
  }()

  static var isRelease: Bool { release != nil }

  static func run(_ arguments: String) async throws -> (output: String, status: Int32) {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("simulator-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let output = directory.appendingPathComponent("output").path
    let process = try ShellProcess(
      "'\(release ?? TestedPrograms.built + "/GridSimulator")' \(arguments)",
      environment: ["PATH": "/usr/bin:/bin"], output: output, errors: directory.appendingPathComponent("errors").path)
    let status = await process.status()
    return (try String(contentsOfFile: output, encoding: .utf8), status)
  }
}
