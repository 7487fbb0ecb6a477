internal import Glibc
internal import Grid
internal import GridCore

/// The contexts of a user: their files, and which one is in force.
struct ContextStore: Sendable {
  /// `config.toml` and `contexts/`.
  let configurationDirectory: String
  /// `current` and `previous`.
  let stateDirectory: String

  init(environment: [String: String]) {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = variable("HOME") ?? "/tmp"
    configurationDirectory =
      variable("GRIDCTL_CONFIG_DIR") ?? (variable("XDG_CONFIG_HOME") ?? home + "/.config") + "/gridctl"
    stateDirectory = (variable("XDG_STATE_HOME") ?? home + "/.local/state") + "/gridctl"
  }

  var configurationPath: String { configurationDirectory + "/config.toml" }

  func path(of name: String) -> String { "\(configurationDirectory)/contexts/\(name).toml" }

  /// The names of all contexts, sorted.
  func names() -> [String] {
    guard let handle = opendir(configurationDirectory + "/contexts") else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let file = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard file.hasSuffix(".toml") else { continue }
      let name = String(file.dropLast(5))
      if NameRules.isValid(name) { names.append(name) }
    }
    return names.sorted()
  }

  /// - Throws: ``GridError/Code/notFound`` when there is none of that name, ``GridError/Code/configuration`` when its
  ///   file is wrong.
  func read(_ name: String) throws(GridError) -> ContextDefinition {
    try NameRules.validated(name, as: "context")
    guard let table = try ConfigurationTable.read(path(of: name)) else { throw missing(name) }
    return try ContextDefinition(name: name, table: table)
  }

  func missing(_ name: String) -> GridError {
    let names = names()
    let similar = NameSimilarity.similar(to: name, in: names)
    let known = names.isEmpty ? "there are none; make one with: gridctl context add \(name) --endpoint HOST:PORT" : nil
    return GridError(
      .notFound, "no context \(name)",
      hint: similar.isEmpty
        ? known ?? "contexts: \(names.joined(separator: ", "))" : "similar: \(similar.joined(separator: ", "))")
  }

  func write(_ context: ContextDefinition) throws(GridError) {
    try PrivateDirectory.make(configurationDirectory + "/contexts")
    try PrivateFile.replace(path(of: context.name), with: Array(context.text.utf8))
  }

  func remove(_ name: String) throws(GridError) {
    guard unlink(path(of: name)) == 0 else {
      throw errno == ENOENT ? missing(name) : PrivateFile.failure("remove", path(of: name))
    }
    if selected() == name { unlink(stateDirectory + "/current") }
  }

  // MARK: The one in force

  /// What `context use` chose last; nil for none.
  func selected() -> String? { state("current") }

  private func state(_ file: String) -> String? {
    guard let bytes = try? Payload.file("\(stateDirectory)/\(file)", limit: 1024) else { return nil }
    let name = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    return NameRules.isValid(name) ? name : nil
  }

  /// Makes a context the one in force; `-` is the one before.
  ///
  /// - Returns: its name.
  func use(_ name: String) throws(GridError) -> String {
    var name = name
    if name == "-" {
      guard let previous = state("previous") else {
        throw GridError(.notFound, "there is no previous context", hint: "gridctl context ls")
      }
      name = previous
    }
    _ = try read(name)
    let before = selected()
    try PrivateDirectory.make(stateDirectory)
    if let before, before != name {
      try PrivateFile.replace(stateDirectory + "/previous", with: Array("\(before)\n".utf8))
    }
    try PrivateFile.replace(stateDirectory + "/current", with: Array("\(name)\n".utf8))
    return name
  }

  /// The context in force: the option, `GRIDCTL_CONTEXT`, `context use`, `config.toml`; an empty name is none.
  ///
  /// - Throws: ``GridError/Code/notFound`` when what was named does not exist.
  func inForce(
    flag: String?, environment: [String: String], configuration: SettingsFile
  ) throws(GridError) -> (ContextDefinition, SettingSource)? {
    let candidates: [(String?, SettingSource)] = [
      (flag, .flag("--context")), (environment["GRIDCTL_CONTEXT"], .environment("GRIDCTL_CONTEXT")),
      (selected(), .selection), (configuration.context, .configuration),
    ]
    for (name, source) in candidates {
      guard let name else { continue }
      guard !name.isEmpty else {
        if source == .flag("--context") { return nil }
        continue
      }
      return (try read(name), source)
    }
    return nil
  }
}
