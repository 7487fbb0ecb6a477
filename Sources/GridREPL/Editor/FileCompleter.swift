internal import Glibc

/// Finishes names of files.
enum FileCompleter {
  /// How many entries of a directory are looked at.
  private static let limit = 10_000

  /// - Parameter prefix: a path, perhaps with `@` before it; relative to the current directory.
  static func candidates(_ prefix: String) -> [Candidate] {
    let mark = prefix.hasPrefix("@") ? "@" : ""
    let path = prefix.dropFirst(mark.count)
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[...$0]) } ?? ""
    let start = slash.map { String(path[path.index(after: $0)...]) } ?? String(path)
    guard let handle = opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { closedir(handle) }
    var found: [Candidate] = []
    while found.count < limit, let entry = readdir(handle) {
      let isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // A name that would need quotes is left to who types it.
      guard name.hasPrefix(start), name != ".", name != "..", !name.hasPrefix(".") || start.hasPrefix("."),
        name.allSatisfy({ $0.isLetter || $0.isNumber || "._-+,=@%".contains($0) })
      else { continue }
      found.append(Candidate(text: mark + directory + name + (isDirectory ? "/" : ""), isWhole: !isDirectory))
    }
    return found.sorted { $0.text < $1.text }
  }
}
