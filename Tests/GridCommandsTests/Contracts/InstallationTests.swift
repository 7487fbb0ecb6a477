import Foundation
import TestSupport
import Testing

/// What `make install` places, where `make test` has installed it.
@Suite(.enabled(if: TestedPrograms.installed != nil, "make test installs what these tests look at"))
struct InstallationTests {
  @Test func theInstalledBinaryHasNoDebugSections() async throws {
    let sections = try await withSandbox { try await $0.output("readelf --section-headers --wide '\(Self.gridctl)'") }
    #expect(sections.contains(".text"))
    #expect(!sections.contains(".debug_"))
  }

  @Test func everythingIsWhereTheShellsAndManLook() throws {
    let prefix = URL(fileURLWithPath: Self.gridctl).deletingLastPathComponent().deletingLastPathComponent().path
    for file in [
      "bin/gridctl", "share/bash-completion/completions/gridctl", "share/zsh/site-functions/_gridctl",
      "share/fish/vendor_completions.d/gridctl.fish", "share/man/man1/gridctl.1",
    ] {
      #expect(FileManager.default.fileExists(atPath: "\(prefix)/\(file)"), "\(file)")
    }
  }

  private static let gridctl = TestedPrograms.gridctl
}
