internal import FuzzEngine

private let program = FuzzProgram(storesTargets)

/// What the fuzzing engine calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt { program.run(bytes, count) }

/// What the package manager takes for this program's `main`, where it was not told of the engine.
@_cdecl("FuzzStores_main")
public func start(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  runEngine(count, words, testOneInput)
}
