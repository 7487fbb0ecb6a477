internal import Foundation
package import Glibc

/// A shell that runs one line, with nothing of this process but what is given to it: default signals, no descriptors.
///
/// Not Foundation's `Process`: it crashes now and then when several are started at once, leaks descriptors, and counts
/// a process as running for as long as anything that it has started in the background.
package struct ShellProcess: Sendable {
  /// Also the number of its process group.
  package let identifier: pid_t

  /// - Parameters:
  ///   - output: a file for standard output.
  ///   - errors: a file for standard error.
  package init(_ line: String, environment: [String: String], output: String, errors: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // A group of its own, the signals set above: not all of these constants are imported.
    posix_spawnattr_setflags(&attributes, 0x02 | 0x04 | 0x08)
    let words = Self.pointers(["bash", "-c", line])
    let variables = Self.pointers(environment.map { "\($0.key)=\($0.value)" })
    defer { for pointer in words + variables { free(pointer) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, "/bin/bash", &actions, &attributes, words, variables)
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .EINVAL) }
    identifier = child
  }

  private static func pointers(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { strdup($0) } + [nil] }

  /// Its exit status, or 128 and the signal that ended it. To be called once; a thread of its own waits.
  package func status() async -> Int32 {
    await withCheckedContinuation { continuation in
      let thread = Thread {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        continuation.resume(returning: signal == 0 ? status >> 8 & 0xFF : 128 + signal)
      }
      thread.stackSize = 1 << 18
      thread.start()
    }
  }
}
