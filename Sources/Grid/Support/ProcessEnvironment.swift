internal import Glibc

/// The environment of this process, read once.
package enum ProcessEnvironment {
  /// The numeric identifier of the user this process acts as.
  package static var user: UInt32 { geteuid() }

  package static let variables: [String: String] = {
    var variables: [String: String] = [:]
    var entry = environ
    while let pair = entry.pointee {
      let text = String(cString: pair)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      entry += 1
    }
    return variables
  }()
}
