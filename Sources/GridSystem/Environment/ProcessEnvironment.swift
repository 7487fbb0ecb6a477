internal import Glibc
internal import Synchronization

/// The environment of this process, read once.
package enum ProcessEnvironment {
  /// The numeric identifier of the user this process acts as.
  package static var user: UInt32 { geteuid() }

  /// `NAME=VALUE` each, byte for byte.
  package static let entries: [[UInt8]] = {
    var entries: [[UInt8]] = []
    var entry = environ
    while let pair = entry.pointee {
      entries.append(Array(UnsafeRawBufferPointer(start: pair, count: strlen(pair))))
      entry += 1
    }
    return entries
  }()

  /// Byte for byte. For programs: a dictionary of bytes costs a command that starts none a millisecond.
  package static let exact = ProgramEnvironment(entries: entries)

  /// As text, for gridctl's own settings; of two with the same name the first.
  package static let variables: [String: String] = {
    var variables: [String: String] = [:]
    for entry in entries {
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let name = String(decoding: entry[..<equals], as: UTF8.self)
      if variables[name] == nil { variables[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self) }
    }
    return variables
  }()

  private static let hidden = Mutex<Set<String>>([])

  /// Keeps a variable from programs from now on: a secret is in it, as a context has said.
  package static func hide(_ name: String) { hidden.withLock { _ = $0.insert(name) } }

  /// For a program that the user starts through gridctl: the user's own environment, without what concerns gridctl
  /// alone.
  ///
  /// - Parameter variables: the environment as text, where it was changed.
  package static func forPrograms(_ variables: [String: String] = variables) -> ProgramEnvironment {
    let hidden = hidden.withLock { $0 }
    return exact.restoring(variables).filter { !EnvironmentPolicy.isPrivate($0) && !hidden.contains($0) }
  }
}
