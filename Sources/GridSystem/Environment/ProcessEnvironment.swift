internal import Glibc
internal import Synchronization

/// The environment of this process, read once.
package enum ProcessEnvironment {
  /// The numeric identifier of the user this process acts as.
  package static var user: UInt32 { geteuid() }

  /// Byte for byte.
  package static let exact: ProgramEnvironment = {
    var entries: [[UInt8]] = []
    var entry = environ
    while let pair = entry.pointee {
      entries.append(Array(UnsafeRawBufferPointer(start: pair, count: strlen(pair))))
      entry += 1
    }
    return ProgramEnvironment(entries: entries)
  }()

  /// As text, for gridctl's own settings.
  package static let variables: [String: String] = Dictionary(
    exact.entries.compactMap { entry in
      let text = String(decoding: entry, as: UTF8.self)
      return text.firstIndex(of: "=").map { (String(text[..<$0]), String(text[text.index(after: $0)...])) }
    }
  ) { first, _ in first }

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
