/// Decides which lines are remembered. Pure.
enum HistoryFilter {
  /// The longest line that is kept, in bytes.
  static let maximumBytes = 64 * 1024

  /// Whether a line may be written to the history: not with a leading space, not a repetition, not with a secret.
  static func keeps(_ line: String, after last: String?) -> Bool {
    guard let first = line.first, !first.isWhitespace, line != last, line.utf8.count <= maximumBytes else {
      return false
    }
    return !hasSecret(line)
  }

  private static let secretNames = [
    "token", "password", "passwd", "passphrase", "secret", "api-key", "apikey", "api_key", "access-key", "access_key",
    "private-key", "private_key", "credential", "credentials", "authorization", "auth-token",
  ]

  /// Whether the line looks as if it had a password, a token or a key in it. Errs on the side of forgetting.
  static func hasSecret(_ line: String) -> Bool {
    let lower = line.lowercased()
    if lower.containsText("-----begin ") || lower.containsText("bearer ") { return true }
    if hasCredentialsInAddress(lower) { return true }
    let bytes = Array(lower.utf8)
    return secretNames.contains { name in
      let wanted = Array(name.utf8)
      guard bytes.count > wanted.count else { return false }
      return (0...(bytes.count - wanted.count)).contains { place in
        bytes[place..<place + wanted.count].elementsEqual(wanted)
          && isAssigned(bytes, before: place, after: place + wanted.count)
      }
    }
  }

  /// Whether a value follows the name: `--token x`, `token=x`, `"token": "x"`, `TOKEN: x`.
  private static func isAssigned(_ bytes: [UInt8], before: Int, after: Int) -> Bool {
    let isOption = before > 0 && bytes[before - 1] == UInt8(ascii: "-")
    var place = after
    // The rest of a longer name, such as tokens or token-file, and a closing quote.
    while place < bytes.count, isNameByte(bytes[place]) || bytes[place] == UInt8(ascii: "\"") { place += 1 }
    let hasBlank = place < bytes.count && bytes[place] == UInt8(ascii: " ")
    while place < bytes.count, bytes[place] == UInt8(ascii: " ") { place += 1 }
    guard place < bytes.count else { return false }
    if bytes[place] == UInt8(ascii: "=") || bytes[place] == UInt8(ascii: ":") { return true }
    return isOption && hasBlank
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  /// `scheme://user:password@host`
  private static func hasCredentialsInAddress(_ line: String) -> Bool {
    line.split { $0.isWhitespace || $0 == "'" || $0 == "\"" }.contains { word in
      let parts = word.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty else { return false }
      guard let at = parts[2].firstIndex(of: "@"), let colon = parts[2].firstIndex(of: ":") else { return false }
      return colon < at
    }
  }
}
