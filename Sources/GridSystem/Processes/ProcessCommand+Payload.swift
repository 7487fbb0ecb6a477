internal import CProcessGuard
internal import Glibc
internal import GridCore

extension ProcessCommand {
  /// The command in the form the guard reads; see `grid_guard_payload` in `CProcessGuard.h`.
  ///
  /// - Throws: ``GridError/Code/usage`` when the command is malformed or larger than ``maximumBytes``.
  func payload() throws(GridError) -> [UInt8] {
    try validate()
    let directories = workingDirectory.map { [$0] } ?? []
    let cgroups = cgroup.map { [$0] } ?? []
    let vector = [executable] + arguments
    let variables = environment.entries
    let paths = candidates
    let header = grid_guard_payload(
      directories: UInt32(directories.count),
      arguments: UInt32(clamping: vector.count),
      environment: UInt32(clamping: variables.count),
      candidates: UInt32(clamping: paths.count),
      cgroups: UInt32(clamping: cgroups.count),
      limits: UInt32(clamping: limits.count),
      has_user: account == nil ? 0 : 1,
      user: account?.user ?? 0,
      group: account?.group ?? 0,
      groups: UInt32(clamping: account?.groups.count ?? 0)
    )
    let start = withUnsafeBytes(of: header) { [UInt8]($0) } + numbers
    let strings = [bytes(cgroups), bytes(directories), bytes(vector), variables, bytes(paths)].joined()
    let size = strings.reduce(start.count) { $0 + $1.count + 1 }
    guard size <= Self.maximumBytes else {
      throw GridError(
        .usage,
        "the command \(quoted) has \(size) bytes with its environment, more than the \(Self.maximumBytes) allowed",
        hint: "pass large data in a file or on standard input")
    }
    var result = start
    result.reserveCapacity(size)
    for string in strings {
      result.append(contentsOf: string)
      result.append(0)
    }
    return result
  }

  /// The limits and the groups, as the guard reads them.
  private var numbers: [UInt8] {
    let limits = limits.map { resource, limit in
      grid_guard_limit(
        resource: resource.number, padding: 0, soft: Self.systemValue(limit.soft), hard: Self.systemValue(limit.hard))
    }
    return limits.withUnsafeBytes { [UInt8]($0) } + (account?.groups ?? []).withUnsafeBytes { [UInt8]($0) }
  }

  private static func systemValue(_ limit: Int64?) -> UInt64 {
    // What RLIM_INFINITY is, which Swift does not import.
    limit.map { UInt64(clamping: $0) } ?? UInt64.max
  }

  private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
}

extension ProgramConfinement.Resource {
  /// What `setrlimit` calls it.
  fileprivate var number: UInt32 {
    switch self {
    case .openFiles: UInt32(RLIMIT_NOFILE.rawValue)
    case .processes: UInt32(__RLIMIT_NPROC.rawValue)
    case .memory: UInt32(RLIMIT_AS.rawValue)
    case .processorTime: UInt32(RLIMIT_CPU.rawValue)
    case .fileSize: UInt32(RLIMIT_FSIZE.rawValue)
    case .coreSize: UInt32(RLIMIT_CORE.rawValue)
    }
  }
}
