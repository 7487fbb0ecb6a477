internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

/// The fault table: three nodes and three members of etcd, each in a network namespace of its own, and one thing that
/// breaks. What users saw, and how long it took, is printed.
@Suite(
  "Faults of the network, of nodes and of etcd", .serialized, .timeLimit(.minutes(10)),
  .enabled(if: Machine.hasNamespaces, "needs root, ip, iptables and etcd: network namespaces are made"))
struct FaultTests {
  @Test(
    arguments: [
      "node-killed", "node-paused", "cut-from-etcd", "cut-from-peers", "split", "loss", "etcd-leader-killed",
      "etcd-leader-paused", "etcd-away", "compaction", "no-space", "hand-overs",
    ])
  func fault(_ name: String) async throws {
    let report = try await Script.run("faults.sh \(name)")
    print(report.output, terminator: "")
    #expect(report.status == 0, "\(report.output)\(report.errors)")
  }

  @Test("three machines get certificates as the README says, and strangers are told why they come to nothing")
  func machines() async throws {
    let report = try await Script.run("machines.sh")
    print(report.output, terminator: "")
    #expect(report.status == 0, "\(report.output)\(report.errors)")
  }

  @Test("the table is complete")
  func complete() async throws {
    let listed = try await Script.run("faults.sh --list")
    #expect(listed.output.split(whereSeparator: \.isWhitespace).count == 12, "a fault of the script is not run here")
  }
}

/// Whether the machine allows what the faults need.
private enum Machine {
  static let hasNamespaces: Bool = {
    guard geteuid() == 0 else { return false }
    let name = "gridctl-\(getpid())"
    let probe = "ip netns add \(name) && ip netns exec \(name) iptables -L -n && ip netns del \(name) && etcd --version"
    return system("(\(probe)) >/dev/null 2>&1") == 0
  }()
}

/// Runs a script of `Tests/Faults` with the gridctl that is tested.
private enum Script {
  static func run(_ line: String) async throws -> (output: String, errors: String, status: Int32) {
    let directory = "/tmp/gridctl-fault-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Faults").path
    var environment = TestedPrograms.inheritedEnvironment()
    environment["GRIDCTL"] = TestedPrograms.gridctl
    let shell = try ShellProcess(
      "'\(scripts)'/\(line)", environment: environment, output: "\(directory)/out", errors: "\(directory)/err")
    let status = await shell.status()
    return (try text("\(directory)/out"), try text("\(directory)/err"), status)
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
}
