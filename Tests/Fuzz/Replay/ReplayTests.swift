internal import Foundation
internal import FuzzSupport
internal import Testing

/// Every input that is kept, through the same functions that `make fuzz` calls: those that once broke a promise, and
/// those that lead into every corner that was found.
@Suite(.serialized) struct ReplayTests {
  static let targets = valuesTargets + wireTargets + textsTargets + storesTargets

  @Test(arguments: targets.map(\.name))
  func `what is kept of earlier runs breaks no promise`(_ name: String) throws {
    let target = try #require(Self.targets.first { $0.name == name })
    let files = try Self.inputs(name)
    #expect(!files.isEmpty, "no input of \(name) is kept")
    for file in files {
      let bytes = [UInt8](try Data(contentsOf: file))
      #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try target.run(bytes) }
    }
  }

  @Test(arguments: targets.map(\.name))
  func `little of earlier runs is kept`(_ name: String) throws {
    let sizes = try Self.inputs(name).map { try Data(contentsOf: $0).count }
    #expect(sizes.count <= 300 && sizes.reduce(0, +) <= 200 * 1024)
  }

  @Test func `nothing is kept that nobody replays`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
    #expect(Set(folders) == Set(Self.targets.map(\.name)))
  }

  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Corpus")

  private static func inputs(_ name: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: corpus.appending(path: name), includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }
  }
}
