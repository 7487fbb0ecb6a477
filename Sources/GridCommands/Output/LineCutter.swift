internal import Glibc
internal import GridCore

/// One line of an input, without its line feed. Every other byte is kept: NUL, a carriage return, what is not UTF-8.
struct InputLine: Sendable, Equatable {
  /// From 1.
  let number: Int
  let bytes: [UInt8]
}

/// Cuts a stream of bytes into lines. Pure; holds at most one unfinished line.
struct LineCutter {
  private let limit: Int
  private var unfinished: [UInt8] = []
  private var count = 0

  /// - Parameter limit: the longest line, in bytes.
  init(limit: Int) { self.limit = limit }

  /// The lines that the next bytes complete, and the fault that ends the input after them, when a line is too long.
  mutating func take(_ chunk: UnsafeRawBufferPointer) -> (lines: [InputLine], fault: GridError?) {
    var lines: [InputLine] = []
    var start = 0
    while start < chunk.count {
      let rest = UnsafeRawBufferPointer(rebasing: chunk[start...])
      guard let base = rest.baseAddress, let found = memchr(base, 0x0A, rest.count) else {
        unfinished += rest
        break
      }
      let length = UnsafeRawPointer(found) - base
      guard unfinished.count + length <= limit else { return (lines, tooLong) }
      count += 1
      unfinished += rest[..<length]
      lines.append(InputLine(number: count, bytes: unfinished))
      unfinished = []
      start += length + 1
    }
    return (lines, unfinished.count > limit ? tooLong : nil)
  }

  /// The last line, when no line feed ended it.
  mutating func finish() -> InputLine? {
    guard !unfinished.isEmpty else { return nil }
    defer { unfinished.removeAll() }
    count += 1
    return InputLine(number: count, bytes: unfinished)
  }

  private var tooLong: GridError {
    GridError(
      .undecodable, "line \(count + 1) is longer than \(limit) bytes", hint: "with --lines each line is one message")
  }
}
