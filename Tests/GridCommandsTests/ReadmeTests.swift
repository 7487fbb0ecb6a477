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

  @Test func theLibraryExampleIsTheCompiledOne() async throws {
    let example = try Self.text("Tests/Example/main.swift")
    #expect(try Self.text("README.md").contains("```swift\n\(example)```"))
    #expect(example.split(separator: "\n", omittingEmptySubsequences: false).count <= 41)
    let result = try await withSandbox { try await $0.run("GridExample") }
    #expect(result.output == "ada has ordered 5 pieces\n")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test(arguments: ["demo", "test", "build", "install", "format", "lint", "bench"])
  func theMakefileKnowsTheTargetsItNames(_ target: String) async throws {
    let result = try await withSandbox { try await $0.run("make -C '\(Self.root.path)' -n \(target)") }
    #expect(result.status == 0, "\(result.errors)")
  }
}
