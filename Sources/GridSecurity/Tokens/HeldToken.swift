package import GridCore
internal import GridLink

/// A token in the hands of whoever has it: made anew, or as it was given to them. No node ever has one.
package struct HeldToken: Sendable, CustomStringConvertible, CustomReflectable {
  private let token: AccessToken

  /// A new one, of the system's random bytes.
  package init() {
    var generator = SystemRandomNumberGenerator()
    token = AccessToken(using: &generator)
  }

  /// - Throws: ``GridError/Code/refused`` for a text that is none; it is not repeated.
  package init(parsing text: String) throws(GridError) { token = try AccessToken(parsing: text) }

  package var identifier: String { token.identifier }
  /// As it is given to whoever is to have it; nothing else shows it.
  package var text: String { token.text }
  /// What the cluster keeps of it.
  package var keys: (stored: [UInt8], server: [UInt8]) { token.keys }

  package var description: String { token.description }
  package var customMirror: Mirror { token.customMirror }
}
