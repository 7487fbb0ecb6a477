import Foundation
import Testing

@Suite struct ReadmeTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: root.appendingPathComponent(path)), as: UTF8.self)
  }

  @Test func everyConsoleBlockDoesWhatItShows() async throws {
    let transcript = Transcript(markdown: try Self.text("README.md"))
    #expect(transcript.steps.count > 15)
    let failures = try await withSandbox { try await transcript.failures(in: $0, shapesOnly: true) }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n\n"))")
  }

  /// Word for word the same with etcd behind it.
  @Test func everyConsoleBlockDoesTheSameOnEtcd() async throws {
    let transcript = Transcript(markdown: try Self.text("README.md"))
    let failures = try await withSandbox { sandbox in
      let port = Int.random(in: 10_000..<15_000) * 2
      let (clients, peers) = ("http://127.0.0.1:\(port)", "http://127.0.0.1:\(port + 1)")
      try await sandbox.output(
        """
        etcd --data-dir etcd --listen-client-urls \(clients) --advertise-client-urls \(clients) \
          --listen-peer-urls \(peers) --initial-advertise-peer-urls \(peers) \
          --initial-cluster default=\(peers) >etcd.log 2>&1 & echo $! >etcd.pid
        for n in $(seq 600); do ETCDCTL_API=3 etcdctl --endpoints \(clients) get x >get 2>&1 && exit; sleep 0.05; done
        exit 1
        """)
      let failures = try await transcript.failures(
        in: sandbox, setup: "export GRIDCTL_STORE=etcd://127.0.0.1:\(port)\n", shapesOnly: true)
      try await sandbox.output("kill -9 $(cat etcd.pid)")
      return failures
    }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n\n"))")
  }

  @Test func theLibraryExampleIsTheCompiledOne() async throws {
    let example = try Self.text("Tests/Example/main.swift")
    #expect(try Self.text("README.md").contains("```swift\n\(example)```"))
    #expect(example.split(separator: "\n", omittingEmptySubsequences: false).count <= 41)
    let result = try await withSandbox { try await $0.run("GridExample") }
    #expect(result.output == "ada has ordered 5 pieces\n")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test(arguments: ["demo", "check", "test", "build", "install", "format", "lint", "bench"])
  func theMakefileKnowsTheTargetsItNames(_ target: String) async throws {
    let result = try await withSandbox { try await $0.run("make -C '\(Self.root.path)' -n \(target)") }
    #expect(result.status == 0, "\(result.errors)")
  }
}
