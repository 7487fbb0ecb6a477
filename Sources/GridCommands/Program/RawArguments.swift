internal import Glibc
internal import GridCore
internal import GridSystem

/// What this process was given, as bytes: what Swift makes of it replaces what is not UTF-8, and says nothing.
enum RawArguments {
  /// - Throws: ``GridError/Code/usage`` with the place of an argument or variable that is no text.
  static func check() throws(GridError) {
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let pointer = CommandLine.unsafeArgv[index] else { break }
      let bytes = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
      guard !isText(bytes) else { continue }
      var error = notText(bytes, "argument \(index)")
      error.hint = "a body goes as it is from a file or standard input: @FILE or -"
      throw error
    }
    for entry in ProcessEnvironment.entries where !isText(entry) && isRead(entry) {
      let name = String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
      throw notText(entry.drop { $0 != UInt8(ascii: "=") }.dropFirst(), "the variable \(name)")
    }
  }

  private static func notText(_ bytes: some Collection<UInt8>, _ place: String) -> GridError {
    GridError(.usage, "\(place) is not UTF-8: “\(PrintableText.of(bytes, limit: 80))”")
  }

  private static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
  }

  /// Whether gridctl itself looks at the variable.
  private static func isRead(_ entry: [UInt8]) -> Bool {
    ["HOME=", "XDG_", "GRIDCTL_"].contains { entry.starts(with: $0.utf8) }
  }
}
