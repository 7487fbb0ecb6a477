internal import Glibc
internal import GridCore

/// The directory that a command was typed in.
enum WorkingDirectory {
  /// - Returns: nil when it is gone.
  /// - Throws: ``GridError/Code/usage`` when its name is no UTF-8.
  static func path() throws(GridError) -> String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    let bytes = UnsafeRawBufferPointer(start: path, count: strlen(path))
    return try String(strictly: bytes, from: "the name of this directory", .usage)
  }

  /// A path that was typed here, as it is known from everywhere.
  static func absolute(_ path: String) throws(GridError) -> String {
    guard !path.hasPrefix("/"), let here = try self.path() else { return path }
    return here + "/" + path
  }
}
