internal import Glibc

/// The first three descriptors, which a caller may have closed (`>&-`).
enum StandardDescriptors {
  /// Fills the gaps with descriptors that cannot be used, so that no socket or file of ours is taken for standard input
  /// or output.
  static func reserve() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      // Open for the wrong direction: reading or writing there fails, as it should.
      _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
    }
  }
}
