internal import Glibc
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridSystem

/// The file that names the process of a node: one living process each, whole whenever it is read.
struct PidFile: Sendable {
  /// The file itself, behind every link; nil for what is no regular file, as `/dev/stdout`: nobody owns that.
  private let path: String?

  /// How long another node may take that is just replacing a file left behind.
  private static let patience = Duration.seconds(2)

  /// Makes the file, in the place of one that a process left behind which is gone.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when it names a node that runs, ``GridError/Code/refused`` when it holds
  ///   something else than a process's number, ``GridError/Code/inputOutput`` when it cannot be written.
  init(_ path: String) async throws(GridError) {
    if let file = PrivateFile.identity(of: path), !file.isRegular {
      try Self.write(to: path, path)
      self.path = nil
      return
    }
    let real = Self.resolved(path)
    let timers = ProcessTimers.shared
    let limit = timers.now() + Self.patience
    while try !Self.take(real, shown: path) {
      guard timers.now() < limit else {
        throw GridError(.retryLater, "another node is taking the pid file \(path)", hint: "start it again")
      }
      guard await timers.sleep(for: .milliseconds(10)) else { throw GridError(.cancelled, "cancelled") }
    }
    self.path = real
  }

  /// Removes the file, unless it names somebody else by now.
  func remove() {
    if let path, (try? Self.process(in: path, path)) == getpid() { unlink(path) }
  }

  /// - Returns: false when another process is at it.
  private static func take(_ path: String, shown: String) throws(GridError) -> Bool {
    let draft = "\(path).\(getpid())"
    try write(to: draft, shown)
    defer { unlink(draft) }
    if link(draft, path) == 0 { return true }
    guard errno == EEXIST else { throw failure(shown) }
    // The lock is on the file that is replaced: who waited for it finds that it is no longer the one at the path.
    let stale = open(path, O_RDONLY | O_CLOEXEC)
    guard stale >= 0 else {
      if errno == ENOENT { return false }
      throw failure(shown)
    }
    defer { close(stale) }
    guard flock(stale, LOCK_EX | LOCK_NB) == 0 else { return false }
    guard let opened = PrivateFile.identity(of: stale), let named = PrivateFile.identity(of: path),
      opened.number == named.number
    else { return false }
    if let holder = try process(in: path, shown), isNode(holder) {
      throw GridError(
        .nameTaken, "the pid file \(shown) names a node that runs: process \(holder)",
        hint: "stop that one first, or choose another --pid-file")
    }
    guard rename(draft, path) == 0 else { throw failure(shown) }
    return true
  }

  private static func write(to path: String, _ shown: String) throws(GridError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(shown) }
    defer { close(descriptor) }
    let text = Array("\(getpid())\n".utf8)
    guard text.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == text.count else {
      let error = failure(shown)
      unlink(path)
      throw error
    }
  }

  /// The process that the file names; nil for an empty one.
  private static func process(in path: String, _ shown: String) throws(GridError) -> Int32? {
    let text = String(decoding: try UserFile.read(path, as: .record(limit: 1 << 10)), as: UTF8.self)
    let word = text.split(whereSeparator: \.isWhitespace)
    if word.isEmpty { return nil }
    guard word.count == 1, let number = Int32(word[0]), number > 0 else {
      throw GridError(
        .refused, "\(shown) holds something else than the number of a process, and is left alone",
        hint: "choose another --pid-file")
    }
    return number
  }

  /// Whether the process is a node that runs, and not another program that got its number later.
  private static func isNode(_ process: Int32) -> Bool {
    guard process != getpid(), kill(process, 0) == 0 || errno == EPERM else { return false }
    guard let name = try? UserFile.read("/proc/\(process)/comm", as: .record(limit: 1 << 10)),
      name == (try? UserFile.read("/proc/self/comm", as: .record(limit: 1 << 10))),
      let line = try? UserFile.read("/proc/\(process)/cmdline", as: .record(limit: 1 << 20))
    else { return false }
    let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.contains("node") && words.contains("start")
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func failure(_ path: String) -> GridError {
    GridError(.inputOutput, "cannot write the pid file \(path): \(String(cString: strerror(errno)))")
  }
}
