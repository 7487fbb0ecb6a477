internal import Glibc
internal import GridCore

/// A second descriptor of the pipe to a child's standard input: writes, and tells how much the child has not read.
///
/// The channel closes its own descriptor when the child closes its end; what the pipe still holds would be unknown
/// then. Used on one event loop only.
final class PipeGauge: Sendable {
  private let descriptor: OwnedDescriptor

  /// - Throws: ``GridError/Code/retryLater`` when the process has no descriptors left.
  init(writeEnd: OwnedDescriptor) throws(GridError) {
    let copy = fcntl(writeEnd.raw, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw descriptorShortage(errno) }
    descriptor = OwnedDescriptor(copy)
  }

  private init(_ descriptor: Int32) { self.descriptor = OwnedDescriptor(descriptor) }

  /// The bytes in the pipe.
  var unreadBytes: Int {
    var count: Int32 = 0
    return ioctl(descriptor.raw, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }

  enum Outcome: Equatable {
    case wrote(Int)
    /// The pipe is full.
    case full
    case failed
  }

  /// Writes what finds room now.
  func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    while true {
      let count = Glibc.write(descriptor.raw, bytes.baseAddress, bytes.count)
      if count >= 0 { return .wrote(count) }
      if errno == EAGAIN { return .full }
      if errno != EINTR { return .failed }
    }
  }

  func close() { descriptor.close() }

  /// Goes on measuring at the reading end, so that the child sees the end of its input; `nil` where that cannot be had.
  func turned() -> PipeGauge? {
    let readEnd = open("/proc/self/fd/\(descriptor.raw)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    return readEnd < 0 ? nil : PipeGauge(readEnd)
  }
}
