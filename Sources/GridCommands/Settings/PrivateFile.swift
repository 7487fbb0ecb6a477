internal import Glibc
internal import GridCore
internal import GridSystem

/// Small files that only their user reads.
enum PrivateFile {
  /// Puts a file in place as a whole: whoever reads it sees the old or the new content, never a part.
  ///
  /// - Throws: ``GridError/Code/inputOutput`` with the path.
  static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o600) throws(GridError) {
    let part = "\(path).\(getpid()).part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure("write", path) }
    do throws(GridError) {
      defer { close(descriptor) }
      try OutputWriter.writeAll(bytes, to: descriptor, path)
      guard fsync(descriptor) == 0 else { throw failure("write", path) }
    } catch {
      unlink(part)
      throw error
    }
    guard rename(part, path) == 0 else {
      let error = failure("replace", path)
      unlink(part)
      throw error
    }
  }

  /// Makes a file that is not there yet; what is there under its name stays.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` or ``GridError/Code/inputOutput`` with the path.
  static func make(_ path: String, with bytes: [UInt8]) throws(GridError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno == EEXIST else { throw failure("make", path) }
      throw GridError(.nameTaken, "there is a file \(path) already", hint: "name another one, or remove it")
    }
    do throws(GridError) {
      defer { close(descriptor) }
      try OutputWriter.writeAll(bytes, to: descriptor, path)
    } catch {
      unlink(path)
      throw error
    }
  }

  static func failure(_ verb: String, _ path: String) -> GridError {
    GridError(
      .inputOutput, "cannot \(verb) \(path): \(String(cString: strerror(errno)))", hint: FileHint.text(path, errno))
  }
}

extension PrivateFile {
  /// Whether there is anything under the path, readable or not.
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// Whether the file at a path, behind every link, is a regular one, and its number; nil when there is none.
  static func identity(of path: String) -> (isRegular: Bool, number: UInt64)? {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return identity(of: descriptor)
  }

  /// The same of an open file.
  static func identity(of descriptor: Int32) -> (isRegular: Bool, number: UInt64)? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return (status.st_mode & S_IFMT == S_IFREG, UInt64(status.st_ino))
  }
}
