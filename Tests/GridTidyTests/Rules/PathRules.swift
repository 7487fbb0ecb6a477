/// Nothing in the repository names a folder of the machine it was written on.
enum PathRules {
  /// In pieces, so that this file names none.
  private static let roots = ["/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "/wo" + "rk/"]

  static func findings(in path: String, _ text: String) -> [Finding] {
    guard roots.contains(where: { text.contains($0) }) else { return [] }
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
      roots.filter { isPath($0, in: line) }.map {
        Finding(path: path, line: index + 1, text: "\($0)… is a folder of one machine: use a relative path or $HOME")
      }
    }
  }

  /// Whether an absolute path begins with `root` somewhere in the line; a longer path that only contains it does not.
  private static func isPath(_ root: String, in line: Substring) -> Bool {
    let bytes = Array(line.utf8)
    let wanted = Array(root.utf8)
    guard bytes.count >= wanted.count else { return false }
    return (0...(bytes.count - wanted.count)).contains { place in
      guard bytes[place..<place + wanted.count].elementsEqual(wanted) else { return false }
      guard place > 0 else { return true }
      let before = bytes[place - 1]
      return !before.isWordByte && !"}./-)~*$".utf8.contains(before)
    }
  }
}
