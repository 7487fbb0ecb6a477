internal import GridCore
internal import GridSystem
internal import TOMLKit

/// What a configuration file says of the common settings; nil for what it leaves open.
struct SettingsFile: Sendable, Equatable {
  /// Separated by commas.
  var endpoints: String?
  var namespace: String?
  var secretFile: String?
  /// The files of TLS.
  var tlsAuthority: String?
  var tlsCertificate: String?
  var tlsKey: String?
  var output: String?
  var timeout: String?
  /// When there is colour.
  var color: String?
  /// The context to use when nothing else names one; in `config.toml` only.
  var context: String?

  /// Reads `config.toml`; a file that does not exist says nothing.
  ///
  /// - Throws: ``GridError/Code/configuration`` with the path and what is wrong.
  static func read(_ path: String) throws(GridError) -> SettingsFile {
    guard let table = try ConfigurationTable.read(path) else { return SettingsFile() }
    try table.refuseOthers(than: ["context", "endpoints", "namespace", "secret-file", "output", "timeout", "color"])
    return SettingsFile(
      endpoints: try table.list("endpoints")?.joined(separator: ","), namespace: try table.text("namespace"),
      secretFile: try table.path("secret-file"), output: try table.text("output"), timeout: try table.text("timeout"),
      color: try table.text("color"),
      context: try table.text("context"))
  }
}

/// One table of a configuration file, with errors that name the file and the key.
struct ConfigurationTable {
  let path: String
  let values: [String: JSONValue]
  /// The table's own name with a point behind it; empty for the file itself.
  var prefix = ""

  /// - Returns: nil when there is no such file.
  /// - Throws: ``GridError/Code/configuration`` when it is no TOML, ``GridError/Code/noInput`` when it cannot be read.
  static func read(_ path: String) throws(GridError) -> ConfigurationTable? {
    guard PrivateFile.exists(path) else { return nil }
    let text = try String(strictly: try UserFile.read(path, as: .configuration), from: path, .configuration)
    return try ConfigurationTable(path: path, text: text)
  }

  init(path: String, values: [String: JSONValue], prefix: String) {
    self.path = path
    self.values = values
    self.prefix = prefix
  }

  init(path: String, text: String) throws(GridError) {
    self.path = path
    // The parser takes a zero byte for the end, and would leave out what follows.
    guard !text.utf8.contains(0) else { throw GridError(.configuration, "\(path): it has a zero byte: it is no TOML") }
    if let line = NestingLimit.lineBeyond(in: text) {
      throw GridError(
        .configuration, "\(path): line \(line): more than \(NestingLimit.deepest) names or brackets in one another",
        hint: "no key of gridctl has more than two")
    }
    if let line = ArrayFault.line(in: text) {
      throw GridError(.configuration, "\(path): line \(line): expected a value or a closing ']' in an array")
    }
    do {
      values = try JSONValue(parsing: try TOMLTable(string: text).convert(to: .json)).objectValue ?? [:]
    } catch let error as TOMLParseError {
      let line = error.source.begin.line
      throw GridError(.configuration, "\(path): line \(line): \(error.description.prefix { $0 != "(" })")
    } catch {
      throw GridError(.configuration, "\(path): it is no TOML", cause: error)
    }
  }

  /// A misspelt key must not be a setting that silently does nothing.
  func refuseOthers(than known: [String]) throws(GridError) {
    for key in values.keys.sorted() where !known.contains(key) {
      let similar = NameSimilarity.similar(to: key, in: known, limit: 1)
      throw GridError(
        .configuration, "\(path): unknown key \(NameRules.quoted(prefix + key))",
        hint: similar.first.map { "similar: \(prefix)\($0)" } ?? "known are \(known.joined(separator: ", "))")
    }
  }

  func text(_ key: String) throws(GridError) -> String? {
    guard let value = values[key] else { return nil }
    guard let text = value.stringValue else { throw wrong(key, "a text in quotes") }
    return text
  }

  /// The absolute path of a file: a file that is read from anywhere cannot say where another one lies from there.
  func path(_ key: String) throws(GridError) -> String? {
    guard let path = try text(key) else { return nil }
    guard path.hasPrefix("/") else { throw wrong(key, "an absolute path") }
    return path
  }

  func flag(_ key: String) throws(GridError) -> Bool? {
    guard let value = values[key] else { return nil }
    guard let flag = value.boolValue else { throw wrong(key, "true or false") }
    return flag
  }

  /// A list of texts; one text is a list of one.
  func list(_ key: String) throws(GridError) -> [String]? {
    guard let value = values[key] else { return nil }
    if let text = value.stringValue { return [text] }
    guard let elements = value.arrayValue else { throw wrong(key, "a list of texts") }
    var texts: [String] = []
    for element in elements {
      guard let text = element.stringValue else { throw wrong(key, "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  func table(_ key: String) throws(GridError) -> ConfigurationTable? {
    guard let value = values[key] else { return nil }
    guard let members = value.objectValue else { throw wrong(key, "a table") }
    return ConfigurationTable(path: path, values: members, prefix: prefix + key + ".")
  }

  private func wrong(_ key: String, _ expected: String) -> GridError {
    GridError(.configuration, "\(path): \(prefix)\(key) must be \(expected)")
  }
}
