internal import Glibc
internal import GridCore
internal import GridSystem

/// The contexts of a user: their files, and which one is in force.
struct ContextStore: Sendable {
  /// `config.toml` and `contexts/`.
  let configurationDirectory: String
  /// `current` and `previous`.
  let stateDirectory: String

  init(environment: [String: String]) {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    // Without a home there is no place at all: one that everybody can write to would let others choose the cluster.
    let home = variable("HOME") ?? Self.nowhere
    configurationDirectory =
      variable("GRIDCTL_CONFIG_DIR") ?? (variable("XDG_CONFIG_HOME") ?? home + "/.config") + "/gridctl"
    stateDirectory = (variable("XDG_STATE_HOME") ?? home + "/.local/state") + "/gridctl"
  }

  /// A directory that nothing can be in.
  private static let nowhere = "/dev/null"

  /// - Throws: ``GridError/Code/configuration`` where nothing can be kept.
  private func requirePlace(_ directory: String, _ variable: String) throws(GridError) {
    guard directory.hasPrefix(Self.nowhere + "/") else { return }
    throw GridError(
      .configuration, "there is no place to keep contexts in: HOME is not set", hint: "set HOME, or \(variable)")
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
    try requirePlace(configurationDirectory, "XDG_CONFIG_HOME")
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

  /// What `context use` chose last; nil for none, or where that cannot be known.
  func selected() -> String? { try? state("current") }

  /// - Throws: ``GridError/Code/configuration`` for a file that names no context: to go on without one would send a
  ///   command to another cluster than was chosen.
  private func state(_ file: String) throws(GridError) -> String? {
    let path = "\(stateDirectory)/\(file)"
    guard PrivateFile.exists(path) else { return nil }
    let hint = "choose again with: gridctl context use NAME, or remove that file"
    let bytes: [UInt8]
    do throws(GridError) { bytes = try UserFile.read(path, as: .record(limit: 1024)) } catch {
      throw GridError(.configuration, error.message, hint: hint)
    }
    let name = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    if name.isEmpty { return nil }
    guard NameRules.isValid(name) else {
      throw GridError(.configuration, "\(path) names no context", hint: hint)
    }
    return name
  }

  /// Makes a context the one in force; `-` is the one before.
  ///
  /// - Returns: its name.
  func use(_ name: String) throws(GridError) -> String {
    var name = name
    if name == "-" {
      guard let previous = try state("previous") else {
        throw GridError(.notFound, "there is no previous context", hint: "gridctl context ls")
      }
      name = previous
    }
    _ = try read(name)
    let before = selected()
    try requirePlace(stateDirectory, "XDG_STATE_HOME")
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
    if let flag { return flag.isEmpty ? nil : (try read(flag), .flag("--context")) }
    if let name = environment["GRIDCTL_CONTEXT"], !name.isEmpty {
      return (try read(name), .environment("GRIDCTL_CONTEXT"))
    }
    // What was chosen is looked at only where nothing goes before it: a broken file must not be in the way.
    if let name = try state("current") { return (try read(name), .selection) }
    if let name = configuration.context, !name.isEmpty { return (try read(name), .configuration) }
    return nil
  }
}
