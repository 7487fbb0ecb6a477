internal import CProcessGuard
internal import Glibc

/// Lends the terminal to the process group of a program, and takes it back, as a shell does with its jobs.
///
/// Only for the thread that waits for the program, in which every signal is blocked: a process of the background may
/// not touch the terminal otherwise.
struct TerminalLoan {
  private let ownGroup = getpgrp()

  /// How a program stands to the terminal of this process.
  struct Placement: Equatable {
    /// It leads a process group of its own.
    var hasOwnGroup: Bool
    /// That group is given the terminal.
    var getsTerminal: Bool
  }

  /// Where the other ends of a pipeline are in our group they need the terminal as much as the program: only a program
  /// between terminals gets it for itself. One that reads the terminal shares our group then, and hears its keys.
  static func placement(
    mayHoldTerminal: Bool, isInputTerminal: Bool, isOutputTerminal: Bool, isForeground: Bool
  ) -> Placement {
    guard isInputTerminal else { return Placement(hasOwnGroup: true, getsTerminal: false) }
    guard mayHoldTerminal, isOutputTerminal else { return Placement(hasOwnGroup: false, getsTerminal: false) }
    return Placement(hasOwnGroup: true, getsTerminal: isForeground)
  }

  static func placement(mayHoldTerminal: Bool) -> Placement {
    placement(
      mayHoldTerminal: mayHoldTerminal, isInputTerminal: isatty(0) == 1, isOutputTerminal: isatty(1) == 1,
      isForeground: tcgetpgrp(0) == getpgrp())
  }

  /// Acts on a program that the terminal stopped; the caller lets it go on afterwards.
  ///
  /// One that only lacks the terminal, which we have, is given it. Otherwise somebody pressed Ctrl-Z, or all of us are
  /// in the background: the whole job stops, until the shell lets it go on.
  func programStopped(_ group: pid_t) {
    if tcgetpgrp(0) != ownGroup {
      takeBack(from: group)
      stopJob()
    }
    if tcgetpgrp(0) == ownGroup { tcsetpgrp(0, group) }
  }

  /// The program and all that descends from it are gone.
  func programEnded(_ group: pid_t) {
    takeBack(from: group)
    let holder = tcgetpgrp(0)
    // It had lent it on to somebody, who is gone as well.
    if holder > 0, holder != ownGroup, kill(-holder, 0) < 0, errno == ESRCH { tcsetpgrp(0, ownGroup) }
  }

  private func takeBack(from group: pid_t) {
    if tcgetpgrp(0) == group { tcsetpgrp(0, ownGroup) }
  }

  /// Stops our process group, and returns when it goes on; at once where nobody could let it go on.
  private func stopJob() {
    kill(0, SIGTSTP)
    var pending = sigset_t()
    // This thread, which has nothing else to do, blocks the signal: another one takes it, and then all stop.
    while sigpending(&pending) == 0, sigismember(&pending, SIGTSTP) == 1 { poll(nil, 0, 1) }
    poll(nil, 0, 20)
  }
}
