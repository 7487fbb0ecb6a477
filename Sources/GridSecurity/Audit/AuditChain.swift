internal import Crypto
internal import GridCore
package import GridRequests

/// What the records of an audit log hang together by: each has a hash over the one of the record before and over its
/// own line, so that none can be changed, taken out or put in without all later ones telling. Pure.
///
/// A line is the record as JSON, with the hash as its last member:
///
/// ```
/// {"at":"2026-01-02T03:04:05.678Z",…,"verb":"spawn","hash":"64 hexadecimal digits"}
/// ```
///
/// Whoever can write the file can also write a whole new chain: what is far away, `gridctl audit tail` on another
/// machine for instance, tells that. The node itself knows the hash of its last record while it runs.
package struct AuditChain: Sendable, Equatable {
  /// The hash of the last record.
  package private(set) var last: String

  /// What stands for the hash before the very first record.
  package static let beginning = String(repeating: "0", count: digits)
  private static let digits = 2 * SHA256.byteCount
  private static let lead = Array(#","hash":""#.utf8)
  private static let tail = Array(#""}"#.utf8)
  /// Bytes of a line that hold its hash.
  private static let hashBytes = lead.count + digits + tail.count

  package init(after hash: String = beginning) { last = hash }

  /// Adds a record.
  ///
  /// - Returns: its line, with the line feed.
  package mutating func line(of record: inout AuditRecord) -> [UInt8] {
    record.hash = nil
    var line = record.json.serialized()
    last = Self.hash(after: last, line)
    record.hash = last
    line.removeLast()
    return line + Self.lead + Array(last.utf8) + Self.tail + [0x0A]
  }

  /// Goes on to the next line.
  ///
  /// - Returns: whether it is the line that comes after the last one; if not, nothing has changed.
  package mutating func follows(_ line: ArraySlice<UInt8>) -> Bool {
    guard let hash = Self.hash(in: line) else { return false }
    guard Self.hash(after: last, Array(line.dropLast(Self.hashBytes)) + [UInt8(ascii: "}")]) == hash else {
      return false
    }
    last = hash
    return true
  }

  /// The hash that a line says it has; nil when it is no line of a chain.
  package static func hash(in line: ArraySlice<UInt8>) -> String? {
    let end = line.suffix(hashBytes)
    guard end.count == hashBytes, end.starts(with: lead), end.suffix(tail.count).elementsEqual(tail) else { return nil }
    return String(decoding: end.dropFirst(lead.count).prefix(digits), as: UTF8.self)
  }

  private static func hash(after last: String, _ line: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(data: Array(last.utf8))
    hash.update(data: line)
    let digits = hash.finalize().flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] }
    return String(decoding: digits, as: UTF8.self)
  }

  private static let hexadecimal = Array("0123456789abcdef".utf8)
}

/// Looks at the lines of an audit log, file after file, the oldest first. Pure.
package struct AuditCheck: Sendable {
  package private(set) var records = 0
  package private(set) var files = 0
  /// Where it breaks, and how.
  package private(set) var fault: (file: String, line: Int, problem: String)?
  /// The files before the first one are missing.
  private var missingBeginning: (file: String, line: Int, problem: String)?
  private var chain: AuditChain?
  private var file = ""
  private var line = 0

  /// - Parameter isBeginning: whether the first file is the first that the log ever had; older ones were deleted when
  ///   there were too many.
  package init(isBeginning: Bool) { chain = isBeginning ? AuditChain() : nil }

  /// The next file.
  package mutating func begin(_ file: String) {
    (self.file, line) = (file, 0)
    files += 1
  }

  /// The next line of it, without its line feed.
  package mutating func take(_ bytes: ArraySlice<UInt8>) {
    guard fault == nil else { return }
    line += 1
    if line == 1 {
      guard let record = (try? JSONValue(parsing: Array(bytes))).flatMap({ try? AuditRecord(json: $0) }),
        let previous = record.previous
      else { return fail("it is no first record of a file") }
      if let chain, chain.last != previous {
        fail("it does not follow the last record of the file before: a file, or its end, is missing")
        guard files == 1 else { return }
        // A file may be missing in the midst as well: that is the place to tell.
        (missingBeginning, fault) = (fault, nil)
      }
      chain = AuditChain(after: previous)
    }
    guard var next = chain, next.follows(bytes) else {
      return fail("it does not follow the record before: one was changed, or lines are missing or were added")
    }
    chain = next
    records += 1
  }

  /// What is left behind the last line feed.
  package mutating func end(_ rest: ArraySlice<UInt8>) {
    guard fault == nil, !rest.isEmpty else { return }
    line += 1
    fail("it breaks off in the midst of a record")
  }

  /// That was all.
  ///
  /// - Parameter known: the hash of the last record, where somebody knows it.
  package mutating func finish(_ known: String?) {
    fault = fault ?? missingBeginning
    guard fault == nil, let known, known != (chain?.last ?? AuditChain.beginning) else { return }
    line += 1
    fail("the records that were here last are missing")
  }

  private mutating func fail(_ problem: String) { fault = (file, line, problem) }
}
