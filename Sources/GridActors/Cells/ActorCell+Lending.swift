internal import GridCore
internal import Synchronization

/// Mail in the hands of a program: handed over, and not read.
extension ActorCell {
  /// The message in hand is with a program from now on. It stays mail, and in the mailbox's count, until ``read(_:)``
  /// or ``giveBack(_:)``.
  func lend() { state.withLock { $0.mailbox.lend() } }

  /// The program has read the first `count` messages lent to it: they are handled. Called on any thread.
  func read(_ count: Int) {
    let (admitted, wakes) = state.withLock { $0.read(count, options: options) }
    for envelope in admitted { self.admitted(envelope) }
    if wakes { run(.pool) }
  }

  /// The program has ended and never read these: they are the next to be handled. Only from the cell's own drain.
  func giveBack(_ unread: [Envelope]) {
    let letters = state.withLock { $0.giveBack(unread) }
    for envelope in letters {
      refuse(envelope, .stopped, GridError(.stopped, "actor \(name) stopped before its program read the message"))
    }
  }
}
