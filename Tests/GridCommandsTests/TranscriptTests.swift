import Foundation
import Testing

@Suite struct TranscriptTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("Transcripts")

  static var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".md") }.sorted()
  }

  @Test func thereAreTranscripts() { #expect(!Self.names.isEmpty) }

  @Test(arguments: names)
  func theTranscriptHolds(_ name: String) async throws {
    let text = String(decoding: try Data(contentsOf: Self.folder.appendingPathComponent(name)), as: UTF8.self)
    let transcript = Transcript(markdown: text)
    #expect(!transcript.steps.isEmpty)
    let failures = try await withSandbox { try await transcript.failures(in: $0) }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n\n"))")
  }
}
