import Foundation
import Testing

extension Sandbox {
  /// Runs a line that has to succeed.
  ///
  /// - Returns: its standard output without the last line feed.
  @discardableResult
  func output(
    _ line: String, limit: Duration = .seconds(60), at location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let result = try await run(line, limit: limit)
    #expect(
      result.status == 0, "\(line)\n\(result.output)\(result.errors)", sourceLocation: location)
    return result.output.hasSuffix("\n") ? String(result.output.dropLast()) : result.output
  }

  /// Starts nodes, each when the one before serves.
  func start(_ names: String...) async throws {
    for name in names { try await output("start --name \(name)") }
  }

  /// Whatever a test does to a node, it never crashes: the logs would say so.
  func expectNoCrash() {
    guard let files = FileManager.default.enumerator(atPath: directory) else { return }
    for case let file as String in files where file.hasSuffix(".log") {
      guard let bytes = FileManager.default.contents(atPath: "\(directory)/\(file)") else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      if text.contains("Fatal error") || text.contains("Program crashed") {
        Issue.record("a node crashed: \(text.suffix(4000))")
      }
    }
  }

  /// Where clients of a node connect.
  func endpoint(_ node: String) -> String { "unix:\(directory)/run/gridctl/default/\(node).sock" }

  /// Where a node listens for nodes and remote clients.
  func address(_ node: String) async throws -> String {
    try await output("gridctl node info \(node) -o jsonpath=.address -e \(endpoint(node))")
  }

  func processIdentifier(of node: String) async throws -> Int32 {
    try #require(Int32(try await output("pid \(node)")))
  }

  /// Resident memory of a process in bytes: now, and the most it ever had.
  func memory(of process: Int32) throws -> (now: Int, most: Int) {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    func kibibytes(_ field: String) -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
      return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
    return (kibibytes("VmRSS") * 1024, kibibytes("VmHWM") * 1024)
  }
}

/// What the machine lets a test do.
enum Machine {
  static let isRoot = geteuid() == 0
  static let hasPython = system("command -v python3 >/dev/null") == 0

  /// Whether file systems can be mounted here, as the tests of full disks need.
  static let canMount: Bool = {
    guard isRoot else { return false }
    let place = "/tmp/gridctl-mount-\(UUID().uuidString.prefix(8))"
    let mounts = "mkdir \(place) && mount -t tmpfs -o size=1m tmpfs \(place) 2>/dev/null && umount \(place)"
    return system("\(mounts); status=$?; rmdir \(place); exit $status") == 0
  }()
}
