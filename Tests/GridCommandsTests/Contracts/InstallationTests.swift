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
      "share/fish/vendor_completions.d/gridctl.fish", "share/man/man1/gridctl.1", "share/man/man1/gridctl-restart.1",
      "lib/systemd/system/gridctl.service",
    ] {
      #expect(FileManager.default.fileExists(atPath: "\(prefix)/\(file)"), "\(file)")
    }
  }

  @Test func theUnitStartsTheInstalledBinaryAndIsSound() async throws {
    let prefix = URL(fileURLWithPath: Self.gridctl).deletingLastPathComponent().deletingLastPathComponent().path
    let unit = "\(prefix)/lib/systemd/system/gridctl.service"
    let lines = try String(contentsOfFile: unit, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.hasPrefix("ExecStart=\(Self.gridctl) node start ") })
    for line in ["Type=notify", "RuntimeDirectory=gridctl", "StateDirectory=gridctl", "Restart=on-failure"] {
      #expect(lines.contains(line), "\(line)")
    }
    #expect(!lines.contains { $0.contains("@") })
    try await withSandbox { sandbox in
      guard try await sandbox.run("command -v systemd-analyze").status == 0 else { return }
      let verified = try await sandbox.run("systemd-analyze verify --man=no '\(unit)'")
      #expect(verified.status == 0 && verified.errors == "", "\(verified)")
    }
  }

  private static let gridctl = TestedPrograms.gridctl
}
