internal import Glibc

/// A signal a child can be sent.
package enum ProcessSignal: Int32, Sendable {
  case hangUp = 1
  case interrupt = 2
  case quit = 3
  case kill = 9
  case firstUserDefined = 10
  case secondUserDefined = 12
  case terminate = 15
  case resume = 18
}

/// A running child as its guard knows it.
struct ProcessHandle: Sendable {
  let connection: GuardConnection
  let identifier: UInt32
  let processIdentifier: Int32
  let exit: ExitLatch

  func signal(_ signal: ProcessSignal) { connection.signal(identifier, signal) }
}

/// A process told apart from another one that got the same number later.
struct ProcessIdentity: Sendable, Equatable {
  let number: Int32
  /// When it started, in ticks since the machine did; `nil` when it cannot be read.
  let startTicks: UInt64?

  /// The process that has `number` now.
  init(of number: Int32) {
    self.number = number
    startTicks = Self.startTicks(of: number)
  }

  /// Kills the group this process leads or led, unless its number is now another process's.
  ///
  /// A number is not given away while a process of the group is alive; so when no process has it, the group is ours.
  func killGroup() {
    let now = Self.startTicks(of: number)
    guard number > 1, now == nil || now == startTicks else { return }
    kill(-number, SIGKILL)
  }

  /// Reaps what is left of the group, if it was handed to this process because its own parent died (when this process
  /// is the first one of a container). Returns at once otherwise.
  func reapGroup() {
    guard number > 1 else { return }
    var status: Int32 = 0
    while waitpid(-number, &status, 0) > 0 { continue }
  }

  /// Field 22 of `/proc/NUMBER/stat`; the name in field 2 may hold anything, so counting starts after its last `)`.
  private static func startTicks(of number: Int32) -> UInt64? {
    let file = open("/proc/\(number)/stat", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let line = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
      count = max(0, read(file, buffer.baseAddress, buffer.count))
    }
    guard let name = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = line[name...].dropFirst().split(separator: UInt8(ascii: " "))
    guard fields.count > 19 else { return nil }
    return UInt64(String(decoding: fields[fields.startIndex + 19], as: UTF8.self))
  }
}
