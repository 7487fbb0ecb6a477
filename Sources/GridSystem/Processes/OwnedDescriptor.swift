internal import CProcessGuard
internal import Glibc
internal import GridCore
internal import Synchronization

/// A file descriptor that is closed when its last owner lets go of it.
final class OwnedDescriptor: Sendable {
  private let number: Mutex<Int32?>

  init(_ number: Int32) { self.number = Mutex(number) }

  deinit { close() }

  /// The number, for a call made while the owner is alive; -1 after ``take()``.
  var raw: Int32 { number.withLock { $0 ?? -1 } }

  /// Hands the descriptor over: the caller closes it.
  func take() -> Int32? {
    number.withLock { number in
      defer { number = nil }
      return number
    }
  }
}

extension OwnedDescriptor {
  /// Closes the descriptor now; later calls do nothing.
  func close() {
    if let number = take() { Glibc.close(number) }
  }
}

/// The three pipes of a child: the ends the child gets, and the ends the node keeps.
struct ProcessPipes: Sendable {
  let childInput: OwnedDescriptor
  let childOutput: OwnedDescriptor
  let childError: OwnedDescriptor
  let input: OwnedDescriptor
  let output: OwnedDescriptor
  let error: OwnedDescriptor

  /// - Throws: ``GridError/Code/retryLater`` when the process has no descriptors left.
  init() throws(GridError) {
    (childInput, input) = try Self.makePipe()
    (output, childOutput) = try Self.makePipe()
    (error, childError) = try Self.makePipe()
  }

  private static func makePipe() throws(GridError) -> (readEnd: OwnedDescriptor, writeEnd: OwnedDescriptor) {
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    let failure = grid_guard_make_pipe(&readEnd, &writeEnd)
    guard failure == 0 else { throw descriptorShortage(failure) }
    return (OwnedDescriptor(readEnd), OwnedDescriptor(writeEnd))
  }
}

/// The error for a system call that found no room for another descriptor.
func descriptorShortage(_ number: Int32) -> GridError {
  GridError(
    .retryLater, "cannot start a child process: \(systemErrorText(number))",
    hint: "raise the limit of open files (ulimit -n)")
}
