internal import CProcessGuard
internal import Glibc
package import GridCore
internal import Synchronization

/// A program that runs on the standard input and output of this process, as a shell runs one: for commands that wrap
/// another (`leader run`, `events --exec`).
package final class AttachedChild: Sendable {
  /// How close it is to this process.
  package enum Bond: Sendable {
    /// It dies with this process, however that ends. Away from a terminal it leads a process group of its own, and
    /// signals go to the whole group; on a terminal it stays in the foreground group, so that it can read and hears
    /// Ctrl-C itself.
    case wrapped
    /// As a shell's program: it stays in the process group of this process, and may live on after it.
    case shell
  }

  package let processIdentifier: Int32
  private let hasOwnGroup: Bool
  private let state = Mutex(State.running([]))

  private enum State {
    case running([CheckedContinuation<ProcessExitStatus, Never>])
    case ended(ProcessExitStatus)
  }

  private init(_ process: pid_t, hasOwnGroup: Bool) {
    processIdentifier = process
    self.hasOwnGroup = hasOwnGroup
  }

  /// Starts a program; it is looked for in this process's `PATH`.
  ///
  /// - Parameters:
  ///   - input: what is its standard input instead of ours; not closed here.
  ///   - output: what is its standard output instead of ours; not closed here.
  /// - Throws: ``GridError/Code/noInput`` when there is none of that name, ``GridError/Code/refused`` when it may not
  ///   be run, ``GridError/Code/usage`` for an empty command, ``GridError/Code/retryLater`` when something ran out.
  package static func start(
    _ command: [String], environment: ProgramEnvironment, bond: Bond = .wrapped, input: Int32? = nil,
    output: Int32? = nil
  ) async throws(GridError) -> AttachedChild {
    guard let program = command.first, !program.isEmpty else {
      throw GridError(.usage, "the command is empty", hint: "name a program: -- PROGRAM [ARGUMENT…]")
    }
    let started = await withCheckedContinuation { continuation in
      // The kernel kills the child when the thread that started it ends: so it is the one that waits for it.
      let failure = startThread(named: "child") {
        Self.run(command, environment, bond, input ?? -1, output ?? -1) { continuation.resume(returning: $0) }
      }
      if failure != 0 { continuation.resume(returning: .failure(failure)) }
    }
    switch started {
    case .success(let child): return child
    case .failure(let error): throw Self.failure(error, program)
    }
  }

  private enum Start {
    case success(AttachedChild)
    case failure(Int32)
  }

  private static func run(
    _ command: [String], _ environment: ProgramEnvironment, _ bond: Bond, _ input: Int32, _ output: Int32,
    _ started: (Start) -> Void
  ) {
    let hasOwnGroup = bond == .wrapped && isatty(0) == 0
    var process: pid_t = 0
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.entries.map { strdup(($0 + [0]).map { CChar(bitPattern: $0) }) } + [nil]
    let error = grid_attached_start(
      arguments, variables, hasOwnGroup, bond == .wrapped, input, output, &process)
    for text in arguments + variables { free(text) }
    guard error == 0 else { return started(.failure(error)) }
    let child = AttachedChild(process, hasOwnGroup: hasOwnGroup)
    started(.success(child))
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    child.ended(ProcessExitStatus(waitStatus: status))
  }

  private static func failure(_ error: Int32, _ program: String) -> GridError {
    let reason = String(cString: strerror(error))
    let message = "cannot run \(NameRules.quoted(program)): \(reason)"
    switch error {
    case ENOENT, ENOTDIR: return GridError(.noInput, message, hint: "check the program's name and the PATH")
    case EACCES, EPERM: return GridError(.refused, message, hint: "check its permissions: is it executable?")
    case E2BIG: return GridError(.usage, message)
    case ENOEXEC: return GridError(.noInput, message, hint: "a script needs a first line like #!/bin/sh")
    default: return GridError(.retryLater, message)
    }
  }

  private func ended(_ status: ProcessExitStatus) {
    let waiting = state.withLock { state -> [CheckedContinuation<ProcessExitStatus, Never>] in
      defer { state = .ended(status) }
      if case .running(let waiting) = state { return waiting }
      return []
    }
    // What it left behind in its group goes with it.
    if hasOwnGroup { kill(-processIdentifier, SIGKILL) }
    for continuation in waiting { continuation.resume(returning: status) }
  }

  /// Sends a signal, unless the program has ended.
  package func signal(_ number: Int32) {
    state.withLock { state in
      guard case .running = state else { return }
      kill(hasOwnGroup ? -processIdentifier : processIdentifier, number)
    }
  }

  /// Waits for the program's end.
  package func exit() async -> ProcessExitStatus {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state -> ProcessExitStatus? in
        switch state {
        case .ended(let status): return status
        case .running(let waiting):
          state = .running(waiting + [continuation])
          return nil
        }
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
