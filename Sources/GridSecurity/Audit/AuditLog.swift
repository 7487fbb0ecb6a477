internal import Glibc
package import GridCore
package import GridRequests
internal import GridSystem
internal import Synchronization

/// The audit log of one node: records, chained, one line each, at the end of a file that nobody else writes.
///
/// A record is one write(2) and no fsync(2): it outlives the process however that ends. What a power cut may take are
/// the records of the last seconds, and with them changes of the same seconds, which the store does not wait for
/// either. A disk that is waited for with each record would make every change many times as slow.
///
/// The lock is the log's own: whoever waits for it has a record to write, and the order under it is that of the chain.
/// Records come from tasks, never from an event loop.
package final class AuditLog: Sendable {
  private struct State {
    /// Nil until it is open, and when it has to be looked at anew.
    var file: AuditFile?
    var size = 0
    var chain = AuditChain()
    var sequence: Int64 = 0
    var order: Int64 = 0
    /// Bytes of a record that was cut short are behind `size`.
    var needsCut = false
    /// Something that the log has to say of itself with the next record.
    var remark: JSONValue?
    var failure: GridError?
    var isClosed = false
  }

  /// A file that has so many bytes is put aside.
  package static let standardFileBytes = 64 << 20
  /// The most bytes of one subject, of one message.
  private static let longestSubject = 8192
  private static let longestMessage = 1024

  private let folder: AuditFolder
  private let node: String
  private let clock: any GridClock
  private let fileBytes: Int
  private let state = Mutex(State())

  /// Reads nothing and makes nothing yet: the first record does, and each one again until it can be written.
  ///
  /// - Parameter stateDirectory: of the node; the log lies in `audit` inside it.
  package init(
    stateDirectory: String, node: String, clock: any GridClock, fileBytes: Int = AuditLog.standardFileBytes
  ) {
    folder = AuditFolder(directory: Self.directory(in: stateDirectory))
    self.node = node
    self.clock = clock
    self.fileBytes = fileBytes
  }

  package static func directory(in stateDirectory: String) -> String { stateDirectory + "/audit" }

  /// Why the last record could not be written; nil when it could.
  package var failure: GridError? { state.withLock { $0.failure } }

  // MARK: Writing

  /// Writes a record.
  ///
  /// - Returns: what was written: that record, and before it what the log had to say of itself.
  /// - Throws: ``GridError/Code/inputOutput`` when it cannot be written; then nothing was.
  package func append(_ record: AuditRecord) throws(GridError) -> [AuditRecord] {
    try state.withLock { state throws(GridError) in
      guard !state.isClosed else { throw GridError(.notServing, "the node leaves: nothing was done") }
      do throws(GridError) {
        try makeReady(&state)
        var written: [AuditRecord] = []
        if let remark = state.remark {
          written.append(try write(AuditRecord("audit.remark", remark, .node(node), .noted), &state))
          state.remark = nil
        }
        written.append(try write(record, &state))
        state.failure = nil
        return written
      } catch {
        state.failure = error
        throw error
      }
    }
  }

  /// Looks whether records can be written again, where the last one could not.
  ///
  /// - Returns: what was written by that.
  package func retry() -> [AuditRecord] {
    guard let failure else { return [] }
    let remark = JSONValue.object(["resumedAfter": .string(failure.message)])
    return (try? append(AuditRecord("audit.remark", remark, .node(node), .noted))) ?? []
  }

  package func close() {
    state.withLock { state in
      state.file = nil
      state.isClosed = true
    }
  }

  private func write(_ record: AuditRecord, _ state: inout State) throws(GridError) -> AuditRecord {
    var record = fitted(record)
    let date = clock.date()
    record.node = node
    record.at = date
    record.order = max(state.order, date.millisecondsSince1970)
    record.sequence = state.sequence.addingClamped(1)
    if state.size >= fileBytes { try putAside(&state) }
    record.previous = state.size == 0 ? state.chain.last : nil
    var chain = state.chain
    let line = chain.line(of: &record)
    guard let file = state.file else { throw Self.failure(EBADF, folder.directory) }
    if let number = Self.writeAll(line, to: file) {
      state.needsCut = ftruncate(file.descriptor, off_t(state.size)) != 0
      throw Self.failure(number, folder.directory)
    }
    state.size += line.count
    (state.chain, state.sequence, state.order) = (chain, record.sequence, record.order)
    return record
  }

  /// With nothing that is longer than anybody reads.
  private func fitted(_ record: AuditRecord) -> AuditRecord {
    var record = record
    let bytes = record.subject.serializedBytes
    if bytes > Self.longestSubject { record.subject = ["leftOutBytes": .integer(Int64(bytes))] }
    record.message = record.message.map { String($0.prefix(Self.longestMessage)) }
    record.caller.name = String(record.caller.name.prefix(Self.longestMessage))
    return record
  }

  /// - Returns: the number of the error; nil when all was written.
  private static func writeAll(_ bytes: [UInt8], to file: AuditFile) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : ENOSPC }
      rest = rest.dropFirst(count)
    }
    return nil
  }

  private static func failure(_ number: Int32, _ directory: String) -> GridError {
    let isFull = number == ENOSPC || number == EDQUOT
    return GridError(
      .inputOutput,
      "the audit log cannot be written, and no change is made that is not in it: "
        + (isFull ? "no space left on the disk" : String(cString: strerror(number))),
      hint: isFull ? "make room under \(directory)" : "see to it that the node's user can write to \(directory)")
  }

  // MARK: Files

  /// Sees to it that the file is open, is the one under its name, and ends with a whole record.
  private func makeReady(_ state: inout State) throws(GridError) {
    let name = AuditFolder.name(of: node)
    if let file = state.file, AuditFile.identity(at: folder.path(name)) != file.identity {
      // Somebody has removed it, or put another one in its place: what is there is gone on with.
      state.file = nil
      state.remark = ["replaced": .string(name)]
    }
    if let file = state.file {
      guard state.needsCut else { return }
      guard ftruncate(file.descriptor, off_t(state.size)) == 0 else { throw Self.failure(errno, folder.directory) }
      state.needsCut = false
      return
    }
    let isFirst = state.sequence == 0
    do throws(GridError) {
      try PrivateDirectory.makeOwned(folder.directory, for: .state)
    } catch {
      throw GridError(
        .inputOutput, "the audit log cannot be written, and no change is made that is not in it", hint: error.hint,
        cause: error)
    }
    let file = try open(name, begins: isFirst)
    let end = AuditEnd(file)
    if end.torn > 0 {
      guard ftruncate(file.descriptor, off_t(end.size)) == 0 else { throw Self.failure(errno, folder.directory) }
      state.remark = ["file": .string(name), "tornBytes": .integer(Int64(end.torn))]
    }
    (state.file, state.size, state.needsCut) = (file, end.size, false)
    guard isFirst else { return }
    // Where the file is empty the last record is in the one before.
    let last = end.size > 0 ? end : folder.numbers(of: node).last.flatMap(before)
    guard let last else { return }
    state.chain = AuditChain(after: last.hash ?? AuditChain.beginning)
    (state.sequence, state.order) = (last.sequence, last.order)
  }

  private func before(_ number: Int) -> AuditEnd? {
    let name = AuditFolder.name(of: node, number)
    return AuditFile.open(folder.path(name), name: name, O_RDONLY).map { AuditEnd($0) }
  }

  /// The file that grows, for this process alone.
  ///
  /// - Parameter begins: whether this process has just started: where another one of the node's name still has the
  ///   file, that is not the node any more, and a new file is begun.
  private func open(_ name: String, begins: Bool) throws(GridError) -> AuditFile {
    let path = folder.path(name)
    for _ in 0..<2 {
      guard let file = AuditFile.open(path, name: name, O_RDWR | O_APPEND | O_CREAT) else {
        throw Self.failure(errno, folder.directory)
      }
      guard flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 else {
        fchmod(file.descriptor, 0o600)
        return file
      }
      guard begins else { break }
      try rename(name)
    }
    throw GridError(
      .inputOutput,
      "the audit log is written by another process of node \(node), and no change is made that is not in it",
      hint: "end one of the two")
  }

  private func putAside(_ state: inout State) throws(GridError) {
    let name = AuditFolder.name(of: node)
    try rename(name)
    state.file = nil
    state.size = 0
    state.file = try open(name, begins: false)
    for number in folder.numbers(of: node).dropLast(AuditFolder.keptFiles) {
      unlink(folder.path(AuditFolder.name(of: node, number)))
    }
  }

  /// Gives the file that grows its number.
  private func rename(_ name: String) throws(GridError) {
    let number = (folder.numbers(of: node).last ?? 0).addingClamped(1)
    guard Glibc.rename(folder.path(name), folder.path(AuditFolder.name(of: node, number))) == 0 else {
      throw Self.failure(errno, folder.directory)
    }
  }

  // MARK: Reading

  /// The logs that lie here as they are now: this node's, and those of nodes that are gone.
  ///
  /// - Parameter others: the nodes that tell of their own.
  package func snapshots(without others: Set<String>) -> [AuditSnapshot] {
    let gone = folder.nodes.filter { $0 != node && !others.contains($0) }
    return [own] + gone.map { AuditSnapshot(node: $0, in: folder) }
  }

  private var own: AuditSnapshot {
    state.withLock { state in
      AuditSnapshot(
        node: node, in: folder, growing: state.file, size: state.file == nil ? nil : state.size,
        last: state.sequence > 0 ? state.chain.last : nil)
    }
  }
}

/// Where a file of an audit log ends.
struct AuditEnd {
  /// With whole lines.
  var size = 0
  /// Bytes behind them.
  var torn = 0
  var sequence: Int64 = 0
  var order: Int64 = 0
  /// Nil when the last line is none of a chain.
  var hash: String?

  /// More than the longest record.
  private static let block = 64 * 1024

  init(_ file: AuditFile) {
    let whole = file.size
    let bytes = file.read(at: max(0, whole - Self.block), Self.block)
    guard let end = bytes.lastIndex(of: 0x0A) else {
      torn = whole
      return
    }
    torn = bytes.count - end - 1
    size = whole - torn
    let begin = bytes[..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let line = bytes[begin..<end]
    guard let record = (try? JSONValue(parsing: Array(line))).flatMap({ try? AuditRecord(json: $0) }) else { return }
    (sequence, order, hash) = (max(0, record.sequence), max(0, record.order), AuditChain.hash(in: line))
  }
}
