import Foundation
import GridCore
import GridTestKit
import Synchronization

/// What the simulator is told on its command line.
struct Options: Sendable {
  var seeds = 1000
  var first: UInt64 = 1
  var nodes = 5
  var seconds = 60
  var seed: UInt64?
  var isTraced = false
  var plant: Plant?
  var allPlants = false
  var jobs = ProcessInfo.processInfo.activeProcessorCount
  /// How many seeds this process runs for another one that has divided the work.
  var batch: Int?

  static let usage = """
    Usage: GridSimulator [--seeds N] [--first N] [--nodes N] [--seconds N] [--jobs N] [--plant FAULT]
           GridSimulator --seed N [--trace] [--nodes N] [--seconds N] [--plant FAULT]
           GridSimulator --plants [--seeds N]

    Runs clusters of real nodes in virtual time, one a seed, and holds them to their properties.

      --seeds N      run so many seeds (1000)
      --first N      begin with this one (1)
      --seed N       run one seed, twice, and say whether both runs were the same
      --trace        with --seed: say what happens, event by event
      --nodes N      nodes of the cluster (5)
      --seconds N    virtual seconds (60), at least 50
      --jobs N       processes that share the seeds (one a core)
      --plant FAULT  plant a fault, and run until a seed finds it:
                     \(Plant.allCases.map(\.rawValue).joined(separator: ", "))
      --plants       plant every fault, one after the other
    """

  init(_ arguments: [String]) {
    var rest = arguments[...]
    func number() -> Int {
      guard let text = rest.popFirst(), let number = Int(text), number >= 0 else { fail("a number is missing") }
      return number
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--seeds": seeds = number()
      case "--first": first = UInt64(number())
      case "--nodes": nodes = max(1, number())
      case "--seconds": seconds = max(50, number())
      case "--seed": seed = UInt64(number())
      case "--jobs": jobs = max(1, number())
      case "--batch": batch = number()
      case "--trace": isTraced = true
      case "--plants": allPlants = true
      case "--plant":
        guard let name = rest.popFirst(), let fault = Plant(rawValue: name) else { fail("no such fault") }
        plant = fault
      case "--help", "-h":
        print(Self.usage)
        exit(0)
      default: fail("unknown argument \(argument)")
      }
    }
  }

  func plan(_ seed: UInt64) -> SimulationPlan {
    SimulationPlan(seed: seed, nodes: nodes, duration: .seconds(seconds), plant: plant)
  }

  /// The one command that runs a seed again.
  func replay(_ seed: UInt64) -> String {
    var words = ["GridSimulator --seed \(seed) --trace --nodes \(nodes) --seconds \(seconds)"]
    if let plant { words.append("--plant \(plant.rawValue)") }
    return words.joined(separator: " ")
  }
}

func fail(_ reason: String) -> Never {
  FileHandle.standardError.write(Data("GridSimulator: \(reason)\n\n\(Options.usage)\n".utf8))
  exit(64)
}

/// Starts this program again with hashes that are the same in every process.
func ensureDeterministicHashing() {
  guard ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] == nil else { return }
  setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
  var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
  execv("/proc/self/exe", &arguments)
  fail("cannot start itself again")
}

/// One line for each seed that this process was given.
func runBatch(_ count: Int, _ options: Options) {
  for seed in options.first..<options.first + UInt64(count) {
    let result = SimulatedCluster.run(options.plan(seed))
    let first = result.violations.first.map { "\($0.property): \($0.text) (at \($0.at) s)" } ?? ""
    print("\(seed)\t\(result.steps)\t\(String(result.fingerprint, radix: 16))\t\(first)")
    fflush(nil)
    if options.plant != nil, !result.violations.isEmpty { return }
  }
}

/// What came out of the seeds of all processes.
struct Sum {
  var seeds = 0
  var steps = 0
  /// Seed and what it broke, in order.
  var failures: [(seed: UInt64, text: String)] = []
  var crashes: [String] = []
}

/// What the threads share that look after the processes.
final class Division: Sendable {
  private struct State {
    var sum = Sum()
    var next: UInt64
  }

  private let options: Options
  private let state: Mutex<State>

  init(_ options: Options) {
    self.options = options
    state = Mutex(State(next: options.first))
  }

  /// Divides the seeds among processes; with a planted fault it ends with the first seed that finds it.
  func run() -> Sum {
    DispatchQueue.concurrentPerform(iterations: options.jobs) { _ in while self.runNext() {} }
    var sum = state.withLock { $0.sum }
    sum.failures.sort { $0.seed < $1.seed }
    return sum
  }

  private func runNext() -> Bool {
    let size: UInt64 = options.plant == nil ? 10 : 5
    let end = options.first + UInt64(options.seeds)
    let first = state.withLock { state -> UInt64? in
      guard state.next < end, options.plant == nil || state.sum.failures.isEmpty else { return nil }
      defer { state.next += size }
      return state.next
    }
    guard let first else { return false }
    let output = child(options, first: first, count: min(size, end - first))
    state.withLock { take(output, first: first, &$0.sum) }
    return true
  }
}

func child(_ options: Options, first: UInt64, count: UInt64) -> (text: String, status: Int32) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  process.arguments = [
    "--batch", "\(count)", "--first", "\(first)", "--nodes", "\(options.nodes)", "--seconds", "\(options.seconds)",
  ]
  if let plant = options.plant { process.arguments? += ["--plant", plant.rawValue] }
  let pipe = Pipe()
  process.standardOutput = pipe
  do { try process.run() } catch { fail("cannot start itself: \(error)") }
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (String(decoding: data, as: UTF8.self), process.terminationStatus)
}

func take(_ output: (text: String, status: Int32), first: UInt64, _ sum: inout Sum) {
  var last = first
  for line in output.text.split(separator: "\n") {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
    guard fields.count == 4, let seed = UInt64(fields[0]) else { continue }
    sum.seeds += 1
    sum.steps += Int(fields[1]) ?? 0
    last = seed + 1
    if !fields[3].isEmpty { sum.failures.append((seed, String(fields[3]))) }
  }
  if output.status != 0 { sum.failures.append((last, "the program ended with status \(output.status)")) }
}

/// Runs one seed, and again, to see that it is the same.
func runOne(_ seed: UInt64, _ options: Options) -> Bool {
  let trace: @Sendable (String) -> Void = { print($0) }
  let result = SimulatedCluster.run(options.plan(seed), trace: options.isTraced ? trace : nil)
  for violation in result.violations { print("BROKEN \(violation.property) at \(violation.at) s: \(violation.text)") }
  print("seed \(seed): \(result.steps) steps, fingerprint \(String(result.fingerprint, radix: 16))")
  for (what, count) in result.counts.sorted(by: { $0.key < $1.key }) { print("  \(what): \(count)") }
  if !options.isTraced {
    let again = SimulatedCluster.run(options.plan(seed))
    if again != result {
      print(
        "NOT THE SAME: the second run has \(again.steps) steps, fingerprint \(String(again.fingerprint, radix: 16))")
      return false
    }
  }
  return result.violations.isEmpty
}

/// Plants each fault; whether every one was found.
func runPlants(_ options: Options) -> Bool {
  var isFound = true
  for plant in Plant.allCases {
    var options = options
    options.plant = plant
    let sum = Division(options).run()
    if let first = sum.failures.first {
      print("\(plant.rawValue): found by seed \(first.seed): \(first.text)")
    } else {
      print("\(plant.rawValue): NOT FOUND in \(sum.seeds) seeds")
      isFound = false
    }
    fflush(nil)
  }
  return isFound
}

ensureDeterministicHashing()
let options = Options(Array(CommandLine.arguments.dropFirst()))
if let batch = options.batch {
  runBatch(batch, options)
} else if let seed = options.seed {
  exit(runOne(seed, options) ? 0 : 1)
} else if options.allPlants {
  exit(runPlants(options) ? 0 : 1)
} else {
  let began = Date()
  let sum = Division(options).run()
  for failure in sum.failures.prefix(20) {
    print("seed \(failure.seed) broke \(failure.text)\n  \(options.replay(failure.seed))")
  }
  let seconds = Date().timeIntervalSince(began)
  print("\(sum.seeds) seeds, \(sum.steps) steps, \(sum.failures.count) failures, \((seconds * 10).rounded() / 10) s")
  if options.plant != nil { exit(sum.failures.isEmpty ? 1 : 0) }
  exit(sum.failures.isEmpty ? 0 : 1)
}
