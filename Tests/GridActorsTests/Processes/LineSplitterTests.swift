internal import NIOCore
internal import Testing

@testable internal import GridSystem

@Suite("LineSplitter cuts bytes into lines")
struct LineSplitterTests {
  /// Feeds `chunks` and collects what comes out, with the rest at the end.
  private func split(_ chunks: [String], limit: Int = 100, overflow: LineSplitter.Overflow = .fail) throws -> [String] {
    var splitter = LineSplitter(limit: limit, overflow: overflow)
    var lines: [String] = []
    for chunk in chunks {
      splitter.append(ByteBuffer(string: chunk))
      while let line = try splitter.next() { lines.append(text(line)) }
    }
    if let rest = try splitter.finish() { lines.append(text(rest)) }
    return lines
  }

  private func text(_ line: LineSplitter.Line) -> String {
    String(decoding: line.bytes, as: UTF8.self) + (line.isCut ? "…" : "")
  }

  @Test(
    "whole, partial and empty lines",
    arguments: [
      ([], []),
      (["\n"], [""]),
      (["one\ntwo\n"], ["one", "two"]),
      (["one\n\n\ntwo"], ["one", "", "", "two"]),
      (["o", "n", "e", "\n", "t", "wo"], ["one", "two"]),
      (["carriage\r\nreturn\r\n"], ["carriage\r", "return\r"]),
      (["nul\u{0}byte\n"], ["nul\u{0}byte"]),
    ] as [([String], [String])])
  func lines(chunks: [String], expected: [String]) throws {
    #expect(try split(chunks) == expected)
  }

  @Test("the result does not depend on where the stream is cut")
  func cutsDoNotMatter() throws {
    let stream = "a\nbb\n\nccc ccc ccc\nd"
    let whole = try split([stream])
    for size in 1...stream.count {
      var rest = Substring(stream)
      var chunks: [String] = []
      while !rest.isEmpty {
        chunks.append(String(rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
      #expect(try split(chunks) == whole, "in chunks of \(size)")
      #expect(try split(chunks, limit: 5, overflow: .cut) == ["a", "bb", "", "ccc c…", "d"], "in chunks of \(size)")
    }
  }

  @Test("a line of exactly the limit passes, one byte more fails, for good")
  func limit() throws {
    #expect(try split(["12345\n", "12345"], limit: 5) == ["12345", "12345"])
    var splitter = LineSplitter(limit: 5, overflow: .fail)
    splitter.append(ByteBuffer(string: "ok\n123456\nnever\n"))
    #expect(try splitter.next()?.bytes == Array("ok".utf8))
    #expect(throws: LineSplitter.LineTooLong(limit: 5)) { try splitter.next() }
    splitter.append(ByteBuffer(string: "more\n"))
    #expect(throws: LineSplitter.LineTooLong(limit: 5)) { try splitter.next() }
    #expect(throws: LineSplitter.LineTooLong(limit: 5)) { try splitter.finish() }
    #expect(splitter.bufferedBytes == 0)
  }

  @Test("an endless line is noticed without its newline, and memory stays bounded")
  func endlessLine() throws {
    let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1000)
    var failing = LineSplitter(limit: 10_000, overflow: .fail)
    for _ in 0..<10 {
      failing.append(chunk)
      #expect(try failing.next() == nil)
    }
    failing.append(chunk)
    #expect(throws: LineSplitter.LineTooLong(limit: 10_000)) { try failing.next() }

    var cutting = LineSplitter(limit: 1500, overflow: .cut)
    var lines: [LineSplitter.Line] = []
    for _ in 0..<1000 {
      cutting.append(chunk)
      while let line = try cutting.next() { lines.append(line) }
      #expect(cutting.bufferedBytes <= 2500)
    }
    cutting.append(ByteBuffer(string: "\nnext\n"))
    while let line = try cutting.next() { lines.append(line) }
    #expect(lines.map(\.bytes.count) == [1500, 4])
    #expect(lines.map(\.isCut) == [true, false])
    #expect(try cutting.finish() == nil)
  }

  @Test("a long line in small pieces takes time in proportion to its length")
  func noRescans() throws {
    // Searching from the start for each of the 1 M pieces would take hours.
    var splitter = LineSplitter(limit: 1 << 24, overflow: .fail)
    let piece = ByteBuffer(string: "0123456789")
    for _ in 0..<1_000_000 {
      splitter.append(piece)
      guard try splitter.next() == nil else { throw Failure.unexpectedLine }
    }
    splitter.append(ByteBuffer(string: "\n"))
    #expect(try splitter.next()?.bytes.count == 10_000_000)
  }

  private enum Failure: Error { case unexpectedLine }
}
