internal import Glibc
internal import GridCore
internal import GridSystem

/// Runs a command of the user's configuration with `/bin/sh`.
enum ShellCommand {
  /// What a command printed, and how it ended.
  struct Result: Sendable {
    var output: [UInt8]
    var status: ProcessExitStatus
  }

  /// Runs a command and returns what it printed on standard output.
  ///
  /// - Throws: ``GridError/Code/configuration`` when it prints more than `limit` bytes or takes longer than `patience`;
  ///   it is killed then.
  static func output(
    _ command: String, environment: [String: String], limit: Int, patience: Duration
  ) async throws(GridError) -> Result {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw GridError(.software, "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let child: AttachedChild
    do throws(GridError) {
      child = try await AttachedChild.start(
        ["/bin/sh", "-c", command], environment: ProcessEnvironment.forPrograms(environment), output: ends[1])
      close(ends[1])
    } catch {
      close(ends[1])
      throw error
    }
    let reading = ends[0]
    let output = await Deadline.run(within: patience) { await read(reading, limit: limit) }
    guard let output else {
      child.signal(SIGKILL)
      _ = await child.exit()
      throw GridError(
        .configuration,
        "the command \(NameRules.quoted(command)) took longer than \(HumanText.duration(patience))"
          + " or printed more than \(limit) bytes")
    }
    return Result(output: output, status: await child.exit())
  }

  private static func read(_ descriptor: Int32, limit: Int) async -> [UInt8]? {
    guard let feed = try? LineFeed(descriptor: descriptor, lineLimit: limit) else { return nil }
    defer { feed.close() }
    var output: [UInt8] = []
    do {
      while let line = try await feed.next() {
        output += line.bytes + [0x0A]
        guard output.count <= limit else { return nil }
      }
    } catch {
      return nil
    }
    return output
  }
}

/// A file without a name that holds the standard input of a program.
struct InputFile: ~Copyable {
  let descriptor: Int32

  /// - Throws: ``GridError/Code/inputOutput`` when it cannot be made.
  init(_ content: [UInt8]) throws(GridError) {
    var path = Array("/tmp/gridctl-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw PrivateFile.failure("make a file in", "/tmp") }
    unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    try OutputWriter.writeAll(content, to: descriptor, "a file in /tmp")
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }
}
