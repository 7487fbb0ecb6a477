internal import Glibc
internal import NIOCore

/// Cuts a stream of bytes into lines, with a limit on how long a line may be.
///
/// Feed it with ``append(_:)``, then take lines with ``next()`` until there is none. A line is what stands before a
/// newline byte; nothing else is removed from it (a carriage return stays). Every byte is searched once and memory
/// never holds more than the limit and the chunks that were appended since the last ``next()``.
struct LineSplitter {
  /// What happens to a line longer than the limit.
  enum Overflow: Sendable {
    /// The stream is given up: ``LineSplitter/next()`` throws, now and from then on.
    case fail
    /// The line is delivered cut to the limit, the rest of it is dropped.
    case cut
  }

  /// One line without its newline.
  struct Line: Equatable {
    var bytes: [UInt8]
    /// Whether the line was longer than the limit and its end is missing.
    var isCut = false
  }

  /// A line was longer than `limit` bytes.
  struct LineTooLong: Error, Equatable {
    let limit: Int
  }

  private let limit: Int
  private let overflow: Overflow
  private var buffer = ByteBuffer()
  /// How many of the unread bytes are known to have no newline.
  private var searchedBytes = 0
  /// Whether what comes up to the next newline belongs to a line that was cut.
  private var isDropping = false
  private var hasFailed = false

  init(limit: Int, overflow: Overflow) {
    self.limit = limit
    self.overflow = overflow
  }

  /// The bytes held: the start of a line that has not ended, and lines that were not taken.
  var bufferedBytes: Int { buffer.readableBytes }

  /// Adds the next bytes of the stream.
  mutating func append(_ bytes: ByteBuffer) {
    guard !hasFailed else { return }
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      if buffer.readerIndex > buffer.storageCapacity / 2 { buffer.discardReadBytes() }
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The next whole line, or `nil` when more bytes are needed.
  ///
  /// - Throws: ``LineTooLong`` when lines over the limit are to fail.
  mutating func next() throws(LineTooLong) -> Line? {
    while true {
      guard !hasFailed else { throw LineTooLong(limit: limit) }
      guard let length = lengthOfLine() else { return try beginningOfLongLine() }
      searchedBytes = 0
      if isDropping {
        isDropping = false
        buffer.moveReaderIndex(forwardBy: length + 1)
      } else if length <= limit {
        return takeLine(length: length, newline: 1)
      } else if overflow == .fail {
        fail()
      } else {
        let line = takeLine(length: limit, newline: 0, isCut: true)
        buffer.moveReaderIndex(forwardBy: length - limit + 1)
        return line
      }
    }
  }

  /// Drops whole lines that are held, all but the last `kept`, without making them.
  ///
  /// - Returns: how many were dropped.
  mutating func skipLines(keeping kept: Int) -> Int {
    guard !hasFailed, !isDropping else { return 0 }
    let (lines, bytes) = buffer.withUnsafeReadableBytes { held -> (Int, Int) in
      var end = held.count
      for _ in 0...kept {
        guard let feed = held[..<end].lastIndex(of: UInt8(ascii: "\n")) else { return (0, 0) }
        end = feed
      }
      let dropped = held[...end]
      return (dropped.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }, dropped.count)
    }
    guard bytes > 0 else { return 0 }
    buffer.moveReaderIndex(forwardBy: bytes)
    searchedBytes = 0
    return lines
  }

  /// What the stream ended with after its last newline, as a line; `nil` when there is nothing.
  mutating func finish() throws(LineTooLong) -> Line? {
    if let line = try next() { return line }
    guard buffer.readableBytes > 0, !isDropping else { return nil }
    searchedBytes = 0
    return takeLine(length: buffer.readableBytes, newline: 0)
  }

  /// Called when the bytes held have no newline: keeps them, unless they are more than a line may have.
  private mutating func beginningOfLongLine() throws(LineTooLong) -> Line? {
    if isDropping {
      forgetBytes()
      return nil
    }
    guard buffer.readableBytes > limit else {
      searchedBytes = buffer.readableBytes
      // Without bytes of ours in it, the memory goes back to who read them.
      if searchedBytes == 0 { buffer = ByteBuffer() }
      return nil
    }
    guard overflow == .cut else {
      fail()
      throw LineTooLong(limit: limit)
    }
    let line = takeLine(length: limit, newline: 0, isCut: true)
    forgetBytes()
    isDropping = true
    return line
  }

  private mutating func fail() {
    hasFailed = true
    forgetBytes()
  }

  private mutating func forgetBytes() {
    buffer = ByteBuffer()
    searchedBytes = 0
  }

  private mutating func takeLine(length: Int, newline: Int, isCut: Bool = false) -> Line {
    let bytes = buffer.withUnsafeReadableBytes { [UInt8]($0.prefix(length)) }
    buffer.moveReaderIndex(forwardBy: length + newline)
    return Line(bytes: bytes, isCut: isCut)
  }

  /// How many bytes stand before the first newline, searching only what was not searched before.
  private func lengthOfLine() -> Int? {
    buffer.withUnsafeReadableBytes { bytes in
      guard let start = bytes.baseAddress, searchedBytes < bytes.count else { return nil }
      let found = memchr(start + searchedBytes, Int32(UInt8(ascii: "\n")), bytes.count - searchedBytes)
      return found.map { UnsafeRawPointer($0) - start }
    }
  }
}
