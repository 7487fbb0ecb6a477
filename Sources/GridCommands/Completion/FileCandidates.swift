internal import Glibc

/// Files that begin with what was typed.
enum FileCandidates {
  /// At most so many entries of a directory are looked at.
  private static let limit = 5000

  /// Entries of the directory that the path names, with the path before them; directories end with `/`.
  static func matching(_ partial: String) -> [CompletionCandidate] {
    let slash = partial.lastIndex(of: "/")
    let directory = slash.map { String(partial[...$0]) } ?? ""
    let start = String(partial.dropFirst(directory.count))
    guard let handle = opendir(expanded(directory.isEmpty ? "." : directory)) else { return [] }
    defer { closedir(handle) }
    var found: [CompletionCandidate] = []
    var looked = 0
    while looked < limit, let entry = readdir(handle) {
      looked += 1
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name, name.hasPrefix(start), name != ".", name != ".." else { continue }
      if name.hasPrefix("."), !start.hasPrefix(".") { continue }
      let isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
      found.append(CompletionCandidate(directory + name + (isDirectory ? "/" : ""), isComplete: !isDirectory))
    }
    return found.sorted { $0.text < $1.text }
  }

  private static func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
    return String(cString: home) + path.dropFirst()
  }
}
