package import FuzzSupport
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

/// The words of a command line, as C has them.
package typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Hands everything to the engine, which does not come back before it is done.
package func runEngine(
  _ count: CInt, _ words: Words, _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt {
  var (count, words) = (count, words)
  return runDriver(&count, &words, testOneInput)
}

/// The engine's own beginning, for programs with a `main` of their own.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ words: UnsafeMutablePointer<Words>,
  _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
