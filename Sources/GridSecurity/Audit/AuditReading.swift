internal import GridCore
package import GridRequests

/// The records of one log, the newest first, read block by block from its end.
package struct AuditRecords: Sequence, IteratorProtocol {
  private static let block = 64 * 1024
  /// More is no record.
  private static let longestLine = 1 << 20

  private var files: [(file: AuditFile, size: Int)]
  /// Of the file at hand what is read and not told yet, and how much is before it.
  private var rest: [UInt8] = []
  private var before = 0
  private var current: AuditFile?

  package init(_ snapshot: AuditSnapshot) { files = snapshot.files }

  /// What is no record is passed over: ``AuditCheck`` tells of it.
  package mutating func next() -> AuditRecord? {
    while let line = nextLine() {
      if let record = (try? JSONValue(parsing: line)).flatMap({ try? AuditRecord(json: $0) }) { return record }
    }
    return nil
  }

  private mutating func nextLine() -> [UInt8]? {
    while true {
      if rest.last == 0x0A {
        let text = rest.dropLast()
        if let start = text.lastIndex(of: 0x0A) {
          let line = Array(text[(start + 1)...])
          rest.removeSubrange((start + 1)...)
          return line
        }
        if before == 0 {
          rest = []
          return Array(text)
        }
      }
      guard before == 0 else {
        readBlock()
        continue
      }
      // What has no end is no record; and the next file, when there is one.
      guard let next = files.popLast() else { return nil }
      (current, before, rest) = (next.file, next.size, [])
    }
  }

  private mutating func readBlock() {
    let count = Swift.min(Self.block, before)
    let bytes = current?.read(at: before - count, count) ?? []
    before -= count
    guard bytes.count == count, rest.count <= Self.longestLine else { return rest = [] }
    rest = bytes + rest
    // A record that is being written has no line feed yet.
    if let end = rest.lastIndex(of: 0x0A) { rest.removeSubrange((end + 1)...) }
  }
}

extension AuditSnapshot {
  /// Looks whether the chain is whole. Gives others their turn between blocks: it may be much.
  package func verdict() async -> AuditVerdict {
    let block = 256 * 1024
    var check = AuditCheck(isBeginning: isBeginning)
    for (file, size) in files {
      check.begin(file.name)
      var rest: [UInt8] = []
      var offset = 0
      while offset < size, check.fault == nil, !Task.isCancelled {
        let bytes = file.read(at: offset, min(block, size - offset))
        guard !bytes.isEmpty else { break }
        offset += bytes.count
        rest += bytes
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: 0x0A) {
          check.take(rest[start..<end])
          start = end + 1
        }
        rest.removeSubrange(..<start)
        await Task.yield()
      }
      check.end(rest[...])
      if check.fault != nil { break }
    }
    check.finish(last)
    var verdict = AuditVerdict()
    verdict.node = node
    (verdict.records, verdict.files) = (check.records, files.count)
    if let fault = check.fault { (verdict.file, verdict.line, verdict.problem) = fault }
    return verdict
  }
}
