internal import Foundation
internal import GridCore

/// A secret in a file of its own: its text without the line's end.
enum SecretFile {
  static func read(_ path: String) throws(GridError) -> String {
    do {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      return text.trimmingCharacters(in: .newlines)
    } catch {
      throw GridError(
        .noInput, "the password file \(path) cannot be read", hint: "see GRIDCTL_ETCD_PASSWORD_FILE", cause: error)
    }
  }
}
