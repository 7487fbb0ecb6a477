internal import Glibc

/// Runs one of `targets`, the one that the environment names, for the fuzzing engine.
package struct FuzzProgram: Sendable {
  /// The variable that names the target.
  package static let variable = "GRIDCTL_FUZZ_TARGET"

  private let target: FuzzTarget

  package init(_ targets: [FuzzTarget]) {
    let name = getenv(Self.variable).map { String(cString: $0) } ?? ""
    guard let target = targets.first(where: { $0.name == name }) else {
      fatalError("\(Self.variable) is one of \(targets.map(\.name).joined(separator: ", "))")
    }
    self.target = target
  }

  /// - Returns: 0, as the engine wants it. A broken promise ends the process, so that the engine keeps the input.
  package func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
      try target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
      fatalError("\(target.name): \(error)")
    }
    return 0
  }
}
