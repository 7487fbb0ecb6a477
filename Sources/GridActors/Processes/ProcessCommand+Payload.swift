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
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let paths = candidates
    let header = grid_guard_payload(
      directories: UInt32(directories.count),
      arguments: UInt32(clamping: vector.count),
      environment: UInt32(clamping: variables.count),
      candidates: UInt32(clamping: paths.count)
    )
    let strings = [directories, vector, variables, paths].joined()
    let size = strings.reduce(MemoryLayout<grid_guard_payload>.size) { $0 + $1.utf8.count + 1 }
    guard size <= Self.maximumBytes else {
      throw GridError(
        .usage,
        "the command \(quoted) has \(size) bytes with its environment, more than the \(Self.maximumBytes) allowed",
        hint: "pass large data in a file or on standard input")
    }
    var bytes = withUnsafeBytes(of: header) { [UInt8]($0) }
    bytes.reserveCapacity(size)
    for string in strings {
      bytes.append(contentsOf: string.utf8)
      bytes.append(0)
    }
    return bytes
  }
}
