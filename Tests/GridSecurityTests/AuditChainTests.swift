import GridCore
import GridRequests
import GridSecurity
import Testing

/// Records that hang together, and how each way of meddling with them shows.
@Suite struct AuditChainTests {
  private static func record(_ number: Int64) -> AuditRecord {
    var record = AuditRecord(
      "spawn", ["name": .string("a\(number)")], Caller(name: "kim", role: .operator, source: .socket), .done)
    (record.sequence, record.order) = (number, number)
    return record
  }

  /// Lines of one file after a hash, without their line feeds.
  private static func lines(_ count: Int64, after chain: inout AuditChain) -> [[UInt8]] {
    (1...count).map { number in
      var record = record(number)
      if number == 1 { record.previous = chain.last }
      return Array(chain.line(of: &record).dropLast())
    }
  }

  private static func fault(_ files: [[[UInt8]]], known: String? = nil, isBeginning: Bool = true) -> String? {
    var check = AuditCheck(isBeginning: isBeginning)
    for (index, lines) in files.enumerated() {
      check.begin("f\(index + 1)")
      for line in lines { check.take(line[...]) }
    }
    check.finish(known)
    return check.fault.map { "\($0.file):\($0.line)" }
  }

  @Test func `a line is the record as JSON with its hash at the end`() throws {
    var chain = AuditChain()
    var record = Self.record(1)
    let line = String(decoding: chain.line(of: &record), as: UTF8.self)
    #expect(line.hasPrefix(#"{"at":"1970-01-01T00:00:00.000Z","#) && line.hasSuffix("\"hash\":\"\(chain.last)\"}\n"))
    #expect(chain.last.count == 64 && record.hash == chain.last)
    #expect(try AuditRecord(json: JSONValue(parsing: line)) == record)
  }

  enum Meddling: String, CaseIterable, Sendable {
    case nothing, deleted, deletedFirst, deletedLast, changed, swapped, doubled, added, firstFileGone, secondFileGone

    var fault: String? {
      switch self {
      case .nothing: nil
      case .deleted, .changed, .swapped: "f1:2"
      case .deletedFirst: "f1:1"
      case .doubled: "f1:3"
      // The next file begins with the hash of a record that is not there.
      case .deletedLast: "f2:1"
      case .added: "f3:4"
      case .firstFileGone: "f1:1"
      case .secondFileGone: "f2:1"
      }
    }
  }

  @Test(arguments: Meddling.allCases)
  func `meddling shows at the first line that does not follow`(meddling: Meddling) {
    var chain = AuditChain()
    var files = [Self.lines(4, after: &chain), Self.lines(3, after: &chain), Self.lines(3, after: &chain)]
    switch meddling {
    case .nothing: break
    case .deleted: files[0].remove(at: 1)
    case .deletedFirst: files[0].removeFirst()
    case .deletedLast: files[0].removeLast()
    case .changed: files[0][1][10] ^= 1
    case .swapped: files[0].swapAt(1, 2)
    case .doubled: files[0].insert(files[0][1], at: 2)
    case .added:
      var other = AuditChain(after: "0")
      files[2] += Self.lines(1, after: &other)
    case .firstFileGone: files.removeFirst()
    case .secondFileGone: files.remove(at: 1)
    }
    #expect(Self.fault(files) == meddling.fault)
  }

  @Test func `the end that is cut off shows to whoever knows the last hash`() {
    var chain = AuditChain()
    let lines = Self.lines(4, after: &chain)
    #expect(Self.fault([lines], known: chain.last) == nil)
    #expect(Self.fault([Array(lines.dropLast())]) == nil)
    #expect(Self.fault([Array(lines.dropLast())], known: chain.last) == "f1:4")
    #expect(Self.fault([], known: chain.last) == ":1")
  }

  @Test func `where older files were deleted for room the first one is believed`() {
    var chain = AuditChain()
    _ = Self.lines(4, after: &chain)
    let later = Self.lines(4, after: &chain)
    #expect(Self.fault([later], isBeginning: false) == nil)
    #expect(Self.fault([later], isBeginning: true) == "f1:1")
  }

  @Test(arguments: ["", "{}", "null", #"{"verb":"x"}"#, "\u{0}", String(repeating: "[", count: 100)])
  func `a line that is no record is a fault`(text: String) {
    #expect(Self.fault([[Array(text.utf8)]]) == "f1:1")
    var chain = AuditChain()
    #expect(Self.fault([Self.lines(2, after: &chain) + [Array(text.utf8)]]) == "f1:3")
  }

  @Test func `a filter takes what matches all of it`() {
    var record = Self.record(1)
    record.at = CalendarTime(millisecondsSince1970: 1000)
    var filter = AuditFilter()
    #expect(filter.matches(record))
    (filter.verb, filter.caller, filter.result) = ("sp*", "k?m", .done)
    filter.since = CalendarTime(millisecondsSince1970: 1000)
    #expect(filter.matches(record))
    filter.since = CalendarTime(millisecondsSince1970: 1001)
    #expect(!filter.matches(record))
    filter.since = nil
    filter.result = .denied
    #expect(!filter.matches(record))
  }

  @Test func `what is written of a spawn is neither its argument nor more of a program than its name`() {
    var request = SpawnRequest(kind: "exec", name: "p", argument: Message(body: Array("canary".utf8)))
    request.command = ExecSpecification(
      command: ["/usr/bin/env", "--token=canary"], environment: ["KEY": "canary"], workingDirectory: "/canary")
    #expect(request.auditSubject == ["kind": "exec", "name": "p", "program": "env"])
    #expect(!SpawnRequest.auditsMessages)
  }
}
