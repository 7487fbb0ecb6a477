internal import CProcessGuard
internal import GridCore

extension ProcessCommand {
  /// The command in the form the guard reads; see `grid_guard_payload` in `CProcessGuard.h`.
  ///
  /// - Throws: ``GridError/Code/usage`` when the command is malformed or larger than ``maximumBytes``.
  func payload() throws(GridError) -> [UInt8] {
    try validate()
    let directories = workingDirectory.map { [$0] } ?? []
    let vector = [executable] + arguments
    let variables = environment.entries
    let paths = candidates
    let header = grid_guard_payload(
      directories: UInt32(directories.count),
      arguments: UInt32(clamping: vector.count),
      environment: UInt32(clamping: variables.count),
      candidates: UInt32(clamping: paths.count)
    )
    let strings = [bytes(directories), bytes(vector), variables, bytes(paths)].joined()
    let size = strings.reduce(MemoryLayout<grid_guard_payload>.size) { $0 + $1.count + 1 }
    guard size <= Self.maximumBytes else {
      throw GridError(
        .usage,
        "the command \(quoted) has \(size) bytes with its environment, more than the \(Self.maximumBytes) allowed",
        hint: "pass large data in a file or on standard input")
    }
    var result = withUnsafeBytes(of: header) { [UInt8]($0) }
    result.reserveCapacity(size)
    for string in strings {
      result.append(contentsOf: string)
      result.append(0)
    }
    return result
  }

  private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
}
