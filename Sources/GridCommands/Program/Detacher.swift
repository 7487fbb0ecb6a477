internal import ArgumentParser
internal import Glibc
internal import GridCore
internal import GridSystem

/// Starts the same command again as a process of its own session, and waits until it serves or fails.
struct Detacher {
  let settings: Settings
  let name: String?
  let stateDirectory: String?

  func run() throws {
    let directory = stateDirectory ?? settings.directories.state
    try PrivateDirectory.makeOwned(directory, for: .state)
    let log = "\(directory)/\(name ?? "node").log"
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Self.failure("pipe") }
    InheritedDescriptors.keepPrivate()
    // Who watches this process is to watch the node, which cannot know the number that is meant here.
    if Settings.variables["WATCHDOG_PID"] == String(getpid()) { unsetenv("WATCHDOG_PID") }
    let child = try spawn(log: log, ready: ends[1])
    close(ends[1])
    var byte: UInt8 = 0
    var count = 0
    repeat { count = read(ends[0], &byte, 1) } while count < 0 && errno == EINTR
    close(ends[0])
    // The node's own line on standard output has been printed; without a ready byte it has failed and said why.
    guard count == 1 else { throw ExitCode(Self.status(of: child)) }
  }

  /// The child says what it has to say to our standard output and error until it serves, logs to the file, and keeps
  /// neither afterwards.
  private func spawn(log: String, ready: Int32) throws -> pid_t {
    var arguments = CommandLine.arguments.filter { $0 != "--detach" }
    arguments += ["--log-file", log, "--ready-fd", "3"]
    if settings.format == .table { arguments += ["--output", "name"] }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ready, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // POSIX_SPAWN_SETSID is not imported by the module map.
    posix_spawnattr_setflags(&attributes, 0x80)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, Self.executable(), &actions, &attributes, &pointers, environ)
    guard result == 0 else { throw GridError(.software, "cannot start the node: \(String(cString: strerror(result)))") }
    return child
  }

  /// Our own file, by its name: under `/proc/self/exe` the node would be listed as `exe`.
  private static func executable() -> String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.assumingMemoryBound(to: CChar.self).baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
    }
    let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    return access(path, X_OK) == 0 ? path : "/proc/self/exe"
  }

  private static func status(of child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? status >> 8 & 0xFF : 128 + signal
  }

  private static func failure(_ call: String) -> GridError {
    GridError(.software, "\(call) failed: \(String(cString: strerror(errno)))")
  }
}

/// Descriptors that this process was handed without anybody meaning to.
enum InheritedDescriptors {
  /// Keeps all but the standard three from the programs we start: whoever started us may wait for the end of a pipe
  /// that only it knows of.
  static func keepPrivate() {
    guard let handle = opendir("/proc/self/fd") else { return }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
  }
}
