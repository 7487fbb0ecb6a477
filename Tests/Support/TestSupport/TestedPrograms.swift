internal import Foundation

/// Where the programs are that tests run.
///
/// `make test` runs the tests of the binary twice over: with what was built beside them, and with the release binary as
/// `make install` places it; `GRIDCTL_TEST_PREFIX` names where that was installed.
package enum TestedPrograms {
  /// What was built with the tests: gridctl, and the helpers that only tests need.
  package static let built: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundlePath
    return URL(fileURLWithPath: bundle ?? CommandLine.arguments[0]).deletingLastPathComponent().path
  }()

  /// Where the installed gridctl is, or nil when the one that was built with the tests is tested.
  package static let installed: String? = {
    guard let prefix = ProcessInfo.processInfo.environment["GRIDCTL_TEST_PREFIX"], !prefix.isEmpty else { return nil }
    return prefix + "/bin"
  }()

  /// The gridctl that is tested.
  package static let gridctl = (installed ?? built) + "/gridctl"

  /// The folders of all programs, the tested gridctl first, as `PATH` has them.
  package static let searchPath = [installed, built].compactMap { $0 }.joined(separator: ":")

  /// The environment of whoever runs the tests, without what is meant for their own gridctl.
  package static func inheritedEnvironment() -> [String: String] {
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GRIDCTL_") }
    variables["PATH"] = searchPath + ":" + (variables["PATH"] ?? "/usr/bin:/bin")
    return variables
  }
}
