internal import Testing

/// The rules of the house that a machine can check, held against every file of the repository.
@Suite struct RepositoryTests {
  /// Read once for all tests.
  private struct Snapshot {
    let repository: Repository
    let sources: [SwiftText]
    let everything: [SwiftText]

    init() throws {
      repository = try Repository()
      sources = try repository.swiftFiles(under: ["Sources"])
      everything = sources + (try repository.swiftFiles(under: ["Tests"]))
    }
  }

  private static let snapshot = Result { try Snapshot() }

  private let repository: Repository
  private let sources: [SwiftText]
  private let everything: [SwiftText]

  init() throws {
    let snapshot = try Self.snapshot.get()
    repository = snapshot.repository
    sources = snapshot.sources
    everything = snapshot.everything
  }

  private func expectNone(_ findings: [Finding], at place: SourceLocation = #_sourceLocation) {
    #expect(findings.isEmpty, "\(findings.report)", sourceLocation: place)
  }

  @Test func `there are files to look at`() {
    #expect(sources.contains { $0.path.hasPrefix("Sources/GridCore/") })
    #expect(everything.contains { $0.path.hasPrefix("Tests/GridTidyTests/") })
  }

  @Test func `imports point down and carry an access level`() {
    expectNone(sources.flatMap(ImportRules.findings))
  }

  @Test func `pure code is pure`() {
    expectNone(sources.flatMap(PurityRules.findings))
  }

  @Test func `banned calls are not made`() {
    expectNone(sources.flatMap(BannedCalls.findings))
  }

  @Test func `numbers that somebody sent are reckoned with care`() {
    expectNone(sources.flatMap(ForeignNumberRules.findings))
  }

  @Test func `nothing is left for later`() {
    expectNone(everything.flatMap(BannedCalls.unfinished))
  }

  @Test func `lines fit`() throws {
    let folders = try ["Sources", "Tests"].flatMap { try repository.files(under: $0) } + ["Package.swift"]
    let code = folders.filter { path in
      [".swift", ".c", ".h"].contains { path.hasSuffix($0) } && !path.contains("/Generated/")
    }
    expectNone(
      try code.flatMap { path in
        let lines = (try repository.text(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        return LayoutRules.longLines(path, lines.map(String.init))
      })
  }

  @Test func `files and functions fit, but for the ratchet`() {
    expectNone(LayoutRules.compare(everything.flatMap(LayoutRules.overlong), with: Ratchet.lines))
  }

  @Test func `what is counted does not grow`() {
    for rule in CountedRules.all { expectNone(CountedRules.compare(rule, sources)) }
  }

  @Test func `what the library promises is on its front page`() throws {
    let page = "Sources/Grid/Grid.docc/Grid.md"
    #expect(PromiseRules.declared(sources).count > 20)
    expectNone(PromiseRules.findings(sources, page: page, try #require(try repository.text(page))))
  }

  @Test func `no file names a folder of one machine`() throws {
    expectNone(
      try repository.files().flatMap { path in
        PathRules.findings(in: path, try repository.text(path) ?? "")
      })
  }
}
