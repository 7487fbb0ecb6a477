internal import CProcessGuard
internal import Glibc
internal import GridConcurrency
package import GridCore
internal import Synchronization

/// A program that runs on the standard input and output of this process, as a shell runs one: for commands that wrap
/// another (`leader run`, `events --exec`).
///
/// It has a keeper as programs of `exec` actors have, and no descriptors but 0, 1 and 2. Safe to use from any thread or
/// task.
package final class AttachedChild: Sendable {
  /// How close it is to this process.
  package enum Bond: Sendable {
    /// It and all that descends from it die with this process, however that ends, and what it leaves behind dies with
    /// it. It leads a process group of its own, which gets the terminal where there is one, so that keys reach it and
    /// not us; in a pipeline on a terminal it shares our group.
    case wrapped
    /// As a shell's program: it stays in the process group of this process, and what it leaves behind may live on,
    /// unless it was interrupted: then that has two seconds to end.
    case shell
  }

  package let processIdentifier: Int32
  private let keeper: OwnedDescriptor
  private let state = Mutex(State.running([]))

  private enum State {
    case running([Promise<ProcessExitStatus>])
    case ended(ProcessExitStatus)
  }

  private init(_ process: pid_t, keeper: OwnedDescriptor) {
    processIdentifier = process
    self.keeper = keeper
  }

  /// Starts a program; it is looked for in this process's `PATH`.
  ///
  /// - Parameters:
  ///   - input: what is its standard input instead of ours; not closed here.
  ///   - output: what is its standard output instead of ours; not closed here.
  ///   - mayHoldTerminal: false where somebody else reads the terminal meanwhile.
  ///   - limit: until when it may run, whatever becomes of this process; see ``RunLimit``.
  /// - Throws: ``GridError/Code/noInput`` when there is none of that name, ``GridError/Code/refused`` when it may not
  ///   be run, ``GridError/Code/usage`` for an empty command, ``GridError/Code/retryLater`` when something ran out.
  package static func start(
    _ command: [String], environment: ProgramEnvironment, bond: Bond = .wrapped, input: Int32? = nil,
    output: Int32? = nil, mayHoldTerminal: Bool = true, limit: RunLimit? = nil
  ) async throws(GridError) -> AttachedChild {
    guard let program = command.first, !program.isEmpty else {
      throw GridError(.usage, "the command is empty", hint: "name a program: -- PROGRAM [ARGUMENT…]")
    }
    let placement =
      bond == .shell
      ? TerminalLoan.Placement(hasOwnGroup: false, getsTerminal: false)
      : TerminalLoan.placement(mayHoldTerminal: mayHoldTerminal)
    let attachment = grid_attachment(
      input: input ?? -1, output: output ?? -1, own_group: placement.hasOwnGroup, foreground: placement.getsTerminal,
      leaves_descendants: bond == .shell, limit: limit?.page)
    let keeper: Keeper
    do throws(SystemFailure) {
      keeper = try Keeper(command, environment, attachment)
    } catch {
      throw Self.failure(error.number, program)
    }
    let started = await withPromise { (promise: Promise<Result<AttachedChild, SystemFailure>>) in
      let failure = startThread(named: "child") {
        Self.follow(keeper, limit: limit) { promise.fulfil($0) }
      }
      if failure != 0 {
        keeper.abandon()
        promise.fulfil(.failure(SystemFailure(number: failure)))
      }
    }
    switch started {
    case .success(let child): return child
    case .failure(let error): throw Self.failure(error.number, program)
    }
  }

  private struct SystemFailure: Error {
    var number: Int32
  }

  /// The process between this one and the program.
  private struct Keeper: Sendable {
    let socket: OwnedDescriptor
    let process: pid_t
    let hasOwnGroup: Bool

    init(
      _ command: [String], _ environment: ProgramEnvironment, _ attachment: grid_attachment
    ) throws(SystemFailure) {
      let arguments = command.map { strdup($0) } + [nil]
      let variables = environment.entries.map { strdup(($0 + [0]).map { CChar(bitPattern: $0) }) } + [nil]
      defer { for text in arguments + variables { free(text) } }
      var socket: Int32 = -1
      var process: pid_t = 0
      var attachment = attachment
      let failure = grid_attached_start(arguments, variables, &attachment, &socket, &process)
      guard failure == 0 else { throw SystemFailure(number: failure) }
      self.socket = OwnedDescriptor(socket)
      self.process = process
      hasOwnGroup = attachment.own_group
    }

    /// Ends it, and the program with it.
    func abandon() {
      socket.close()
      reap()
    }

    func reap() {
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
  }

  /// Follows a program from its start to its end.
  ///
  /// - Parameter limit: kept alive as long as the keeper.
  private static func follow(
    _ keeper: Keeper, limit: RunLimit?, _ started: (Result<AttachedChild, SystemFailure>) -> Void
  ) {
    let loan = keeper.hasOwnGroup && isatty(0) == 1 ? TerminalLoan() : nil
    var child: AttachedChild?
    var failure = ECHILD
    var status: ProcessExitStatus?
    var event = grid_guard_event()
    while status == nil, grid_attached_receive(keeper.socket.raw, &event) == 1 {
      switch event.kind {
      case GRID_GUARD_STARTED:
        let running = AttachedChild(event.process, keeper: keeper.socket)
        child = running
        started(.success(running))
      case GRID_GUARD_FAILED: failure = event.status
      case GRID_GUARD_STOPPED:
        loan?.programStopped(event.process)
        child?.signal(SIGCONT)
      case GRID_GUARD_EXITED: status = ProcessExitStatus(waitStatus: event.status)
      default: break
      }
    }
    if let loan { loan.programEnded(event.process) }
    keeper.reap()
    if let child { child.ended(status ?? .lost) } else { started(.failure(SystemFailure(number: failure))) }
    _ = limit
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
    let waiting = state.withLock { state -> [Promise<ProcessExitStatus>] in
      defer { state = .ended(status) }
      keeper.close()
      if case .running(let waiting) = state { return waiting }
      return []
    }
    for promise in waiting { promise.fulfil(status) }
  }

  /// Sends a signal to the program's group, unless the program has ended; SIGKILL kills all that descends from it.
  package func signal(_ number: Int32) {
    var request = grid_guard_request(kind: GRID_GUARD_SIGNAL, identifier: 0, signal: number, limit: 0)
    state.withLock { state in
      guard case .running = state else { return }
      // Fails only when the keeper is gone, or has a hundred signals to pass on.
      _ = grid_guard_send(keeper.raw, &request, nil, 0)
    }
  }

  /// Waits for the end of the program and of what it left behind (not with ``Bond/shell``).
  package func exit() async -> ProcessExitStatus {
    await withPromise { promise in
      let known = state.withLock { state -> ProcessExitStatus? in
        switch state {
        case .ended(let status): return status
        case .running(let waiting):
          state = .running(waiting + [promise])
          return nil
        }
      }
      if let known { promise.fulfil(known) }
    }
  }
}
