internal import CProcessGuard
internal import Glibc
internal import GridCore

/// Why a program could not be started, as the guard reports it.
struct SpawnFailure: Sendable, Equatable {
  /// One of the `GRID_GUARD_STEP_…` values.
  var step: UInt32
  /// The `errno` of that step.
  var errorNumber: Int32

  /// The failure in words a person can act on.
  func error(for command: ProcessCommand) -> GridError {
    switch step {
    case GRID_GUARD_STEP_DIRECTORY: directoryError(command)
    case GRID_GUARD_STEP_EXECUTE: executeError(command)
    case GRID_GUARD_STEP_CGROUP: cgroupError(command.cgroup ?? "")
    case GRID_GUARD_STEP_USER:
      GridError(
        .refused, "cannot run \(command.quoted) as \(NameRules.quoted(command.account?.name ?? "")): \(reason)",
        hint: "the node needs the capabilities to change user and groups, which a container may have taken from root")
    case GRID_GUARD_STEP_LIMIT...: limitError(command, Int(step - GRID_GUARD_STEP_LIMIT))
    case GRID_GUARD_STEP_INTERPRETER:
      GridError(
        .noInput, "cannot run \(command.quoted): the interpreter or loader it names does not exist",
        hint: "look at its first line (#!…), or at what `file` says about it")
    case GRID_GUARD_STEP_FORK:
      GridError(
        .retryLater, "cannot start \(command.quoted): \(reason)",
        hint: "the system is out of processes, memory or descriptors; see `ulimit -u` and `ulimit -n`")
    default: GridError(.inputOutput, "cannot start \(command.quoted): \(reason)")
    }
  }

  private func cgroupError(_ path: String) -> GridError {
    let place = NameRules.quoted(path)
    return switch errorNumber {
    case ENOENT, ENOTDIR, EMEDIUMTYPE, ELOOP:
      GridError(
        .noInput, "\(place) is no control group of version 2",
        hint: "make one with mkdir below where cgroup2 is mounted: findmnt -t cgroup2")
    case EACCES, EPERM, EROFS:
      GridError(
        .refused, "the node may not move programs to the control group \(place)",
        hint: "start the node in a delegated group (systemd: Delegate=yes), and name one below it")
    case EBUSY, EOPNOTSUPP:
      GridError(
        .refused, "the control group \(place) takes no programs: \(reason)",
        hint: "one whose children have controllers takes none: name one of its children")
    default: GridError(.inputOutput, "cannot move a program to the control group \(place): \(reason)")
    }
  }

  private func limitError(_ command: ProcessCommand, _ index: Int) -> GridError {
    let name = command.limits.indices.contains(index) ? command.limits[index].resource.rawValue : "limit"
    return GridError(
      .refused, "the node may not let \(command.quoted) have that \(name): \(reason)",
      hint: "ask for no more than the node has itself (ulimit -Ha), or give the node more (systemd: Limit…=)")
  }

  private func directoryError(_ command: ProcessCommand) -> GridError {
    let directory = command.workingDirectory ?? "."
    return switch errorNumber {
    case ENOENT: GridError(.noInput, "no such directory to run \(command.quoted) in: \(directory)")
    case EACCES: GridError(.refused, "permission denied: cannot enter the directory \(directory)")
    default: GridError(.noInput, "cannot run \(command.quoted) in \(directory): \(reason)")
    }
  }

  private func executeError(_ command: ProcessCommand) -> GridError {
    let isPath = command.executable.contains("/")
    return switch errorNumber {
    case ENOENT, ENOTDIR:
      GridError(
        .noInput,
        "no such command: \(command.quoted)" + (isPath ? "" : " (looked in PATH \(command.searchPath))"))
    case EACCES, EPERM:
      GridError(
        .refused, "permission denied: \(command.quoted)",
        hint: "the file must be executable (chmod +x), and no directory")
    case E2BIG:
      GridError(
        .usage, "the arguments or environment of \(command.quoted) are longer than the system allows",
        hint: "one argument may have 128 KiB")
    default: GridError(.inputOutput, "cannot run \(command.quoted): \(reason)")
    }
  }

  private var reason: String { systemErrorText(errorNumber) }
}

/// What the system calls an `errno`.
func systemErrorText(_ number: Int32) -> String { String(cString: strerror(number)) }
