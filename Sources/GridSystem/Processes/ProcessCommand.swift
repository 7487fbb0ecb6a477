package import GridCore

/// What to run as a child process: a program, its arguments, its whole environment and where it runs.
///
/// All of it together is at most ``maximumBytes``.
package struct ProcessCommand: Sendable {
  /// The most bytes a command may have: program, arguments, environment and directory, with one byte after each.
  package static let maximumBytes = 1024 * 1024

  /// Where a program is looked for when the environment has no `PATH`.
  static let defaultSearchPath = "/usr/local/bin:/usr/bin:/bin"

  /// A name to look up in the `PATH` of ``environment``, or a path (anything with a slash in it), which is relative to
  /// ``workingDirectory``.
  package var executable: String
  /// The arguments after the program's name.
  package var arguments: [String]
  /// The whole environment of the child; nothing is inherited.
  package var environment: ProgramEnvironment
  /// The directory the child starts in; `nil` is the directory the node was in when its guard started.
  package var workingDirectory: String?
  /// Whose rights the child has; `nil` is whoever started the guard.
  package var account: SystemAccount?
  /// What each process of the child may use, beyond what this process may.
  package var limits: [(resource: ProgramConfinement.Resource, limit: ProgramConfinement.Limit)] = []
  /// The directory of the control group that the child is in; `nil` is the guard's.
  package var cgroup: String?

  package init(
    _ executable: String,
    arguments: [String] = [],
    environment: ProgramEnvironment = ProgramEnvironment(),
    workingDirectory: String? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
  }

  package init(
    _ executable: String, arguments: [String] = [], environment: [String: String], workingDirectory: String? = nil
  ) {
    self.init(
      executable, arguments: arguments, environment: ProgramEnvironment(environment),
      workingDirectory: workingDirectory)
  }

  /// The `PATH` of the child.
  var searchPath: String { environment["PATH"] ?? Self.defaultSearchPath }

  /// The paths to try in turn, as `execvp` would: an empty entry of `PATH` is the working directory.
  var candidates: [String] {
    guard !executable.contains("/") else { return [executable] }
    return searchPath.split(separator: ":", omittingEmptySubsequences: false).map { directory in
      directory.isEmpty ? "./\(executable)" : "\(directory)/\(executable)"
    }
  }

  /// Says what is wrong with the command before anything is started.
  ///
  /// - Throws: ``GridError/Code/usage`` for an empty program, a NUL byte, or a bad name of a variable.
  func validate() throws(GridError) {
    guard !executable.isEmpty else {
      throw GridError(.usage, "the command is empty", hint: "name a program: -- PROGRAM [ARGUMENT…]")
    }
    let texts = [executable] + arguments + [workingDirectory ?? "", cgroup ?? ""]
    guard !texts.contains(where: { $0.utf8.contains(0) }) else {
      throw GridError(.usage, "the command \(quoted) contains a NUL byte")
    }
    if let fault = environment.fault { throw GridError(.usage, "the environment of \(quoted) \(fault)") }
  }

  /// The program's name for a message: never long, never with control characters.
  var quoted: String {
    let printable = executable.unicodeScalars.prefix(128).map { $0.properties.isPrintable ? Character($0) : "?" }
    return "“" + String(printable) + (executable.unicodeScalars.count > 128 ? "…”" : "”")
  }
}

extension Unicode.Scalar.Properties {
  fileprivate var isPrintable: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
    default: true
    }
  }
}
