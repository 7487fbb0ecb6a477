internal import FuzzSupport

private let program = FuzzProgram(valuesTargets)

/// What the fuzzing engine calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt { program.run(bytes, count) }
