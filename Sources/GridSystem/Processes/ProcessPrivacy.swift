internal import CProcessGuard
package import GridCore
internal import Synchronization

/// Keeps what this process knows out of core files, and out of the sight of other processes of its user, once it knows
/// a secret.
///
/// Only a process of gridctl does that to itself: a program that a node is a part of decides for its own. Programs that
/// it starts have what they would have had.
package enum ProcessPrivacy {
  private static let isWanted = Mutex(false)

  /// Whether this process is to be kept private when it comes to know a secret.
  package static var isOn: Bool {
    get { isWanted.withLock { $0 } }
    set { isWanted.withLock { $0 = newValue } }
  }

  /// To be called before a secret is read, and in a node before its guard starts.
  ///
  /// - Throws: ``GridError/Code/software`` when the system does not let it: then nothing is read.
  package static func expectSecret() throws(GridError) {
    guard isOn else { return }
    let failure = grid_process_withhold()
    guard failure == 0 else {
      throw GridError(
        .software, "cannot keep secrets out of core files: \(systemErrorText(failure))",
        hint: "does something forbid prctl(2) here? a node may go without: node start --allow-core-dumps")
    }
  }
}
