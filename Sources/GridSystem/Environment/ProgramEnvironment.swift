package import GridCore

/// The environment of a program, byte for byte: names and values need not be UTF-8.
package struct ProgramEnvironment: Sendable, Equatable {
  private var values: [[UInt8]: [UInt8]]

  package init(_ variables: [String: String] = [:]) {
    values = Dictionary(uniqueKeysWithValues: variables.map { (Array($0.key.utf8), Array($0.value.utf8)) })
  }

  /// - Parameter entries: `NAME=VALUE` each; one without `=` is left out, as is a second one of the same name.
  package init(entries: [[UInt8]]) {
    let pairs = entries.compactMap { entry -> ([UInt8], [UInt8])? in
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      return (Array(entry[..<equals]), Array(entry[(equals + 1)...]))
    }
    values = Dictionary(pairs) { first, _ in first }
  }

  /// A variable as text, when it is text.
  package subscript(name: String) -> String? {
    values[Array(name.utf8)].flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// `NAME=VALUE` each, sorted.
  package var entries: [[UInt8]] {
    values.map { $0.key + [UInt8(ascii: "=")] + $0.value }.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// With more variables, which replace those of the same name.
  package func merging(_ others: [String: String]) -> ProgramEnvironment {
    var merged = self
    for (name, value) in others { merged.values[Array(name.utf8)] = Array(value.utf8) }
    return merged
  }

  /// With the variables only whose names `isWanted`; those whose name is no UTF-8 are asked for with U+FFFD in it.
  package func filter(_ isWanted: (String) -> Bool) -> ProgramEnvironment {
    var filtered = self
    filtered.values = values.filter { isWanted(String(decoding: $0.key, as: UTF8.self)) }
    return filtered
  }

  /// `variables` as text, with the bytes of this environment wherever both say the same.
  package func restoring(_ variables: [String: String]) -> ProgramEnvironment {
    var restored = ProgramEnvironment(variables)
    for (name, value) in values {
      let text = String(decoding: name, as: UTF8.self)
      guard variables[text] == String(decoding: value, as: UTF8.self) else { continue }
      restored.values[Array(text.utf8)] = nil
      restored.values[name] = value
    }
    return restored
  }

  /// What is wrong with it.
  var fault: String? {
    if values.keys.contains(where: { $0.isEmpty || $0.contains(UInt8(ascii: "=")) }) {
      return "has a variable whose name is empty or contains “=”"
    }
    return values.contains { $0.key.contains(0) || $0.value.contains(0) } ? "contains a NUL byte" : nil
  }
}

/// Which variables of the node its programs get: a list, since a node is given secrets, and things that concern it
/// alone.
package struct EnvironmentPolicy: Sendable, Equatable {
  /// What every program gets.
  package static let standard = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TERM", "TMPDIR", "XDG_*",
  ]

  private let names: Set<String>
  private let patterns: [NamePattern]

  /// - Parameter passed: names, or patterns with `*`, beside the standard ones.
  package init(passing passed: [String] = []) {
    let all = Self.standard + passed
    names = Set(all)
    patterns = all.filter { $0.contains("*") }.map { NamePattern($0) }
  }

  /// Whether a program gets the variable. What ``isPrivate(_:)`` says, and what leads to a secret of gridctl, is passed
  /// by its full name alone.
  package func passes(_ name: String) -> Bool {
    let needsFullName = Self.isPrivate(name) || Self.leadsToSecret(name)
    return names.contains(name) || (!needsFullName && patterns.contains { $0.matches(name) })
  }

  /// Whether a variable says how gridctl proves who it is, or where what proves it lies.
  private static func leadsToSecret(_ name: String) -> Bool {
    credentials.contains(name) || name.hasPrefix("GRIDCTL_ETCD_") || name.hasPrefix("GRIDCTL_TLS_")
  }

  private static let credentials: Set<String> = ["GRIDCTL_SECRET_FILE", "GRIDCTL_TOKEN", "GRIDCTL_TOKEN_FILE"]

  /// Whether a variable concerns this process and no program of its: a secret of gridctl, or how whoever started the
  /// process hears of it.
  package static func isPrivate(_ name: String) -> Bool {
    privateNames.contains(name)
  }

  private static let privateNames: Set<String> = [
    "GRIDCTL_ETCD_PASSWORD", "GRIDCTL_ETCD_PASSWORD_FILE", "GRIDCTL_ETCD_KEY", "NOTIFY_SOCKET", "WATCHDOG_USEC",
    "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY",
  ]

  /// - Throws: ``GridError/Code/usage`` for what can be no name of a variable.
  package static func validated(_ name: String) throws(GridError) -> String {
    let isName = name.utf8.allSatisfy { byte in
      byte != UInt8(ascii: "=") && byte > 0x20 && byte != 0x7F
    }
    guard isName, !name.isEmpty else {
      throw GridError(.usage, "\(NameRules.quoted(name)) is no name of a variable", hint: "as LD_LIBRARY_PATH or AWS_*")
    }
    return name
  }
}
