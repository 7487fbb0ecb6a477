package import GridCore

/// A file with a token: a line of text that nobody but its user reads.
package enum TokenFile {
  private static let file = GuardedFile(
    noun: "token", isSecret: true, limit: 4096, ownHint: "use a copy of your own: name it with --token-file",
    leakHint: "a new token; see: gridctl token revoke")

  /// The line, without the space around it.
  ///
  /// - Throws: ``GridError/Code/noInput`` when there is no such file, ``GridError/Code/refused`` when others can read
  ///   it or it is another user's, or when it has no text.
  package static func read(_ path: String) throws(GridError) -> String {
    guard let bytes = try file.read(path) else {
      throw GridError(
        .noInput, "there is no token \(path)", hint: "an operator makes one with: gridctl token create --out FILE")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GridError(
        .refused, "what lies in \(path) is no token", hint: "a token is the line that gridctl token create has printed")
    }
    return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
