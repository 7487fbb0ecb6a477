internal import FuzzSupport
internal import GRDB
internal import GRDBSQLite
internal import Glibc
internal import GridCore

@testable internal import GridStoreSQLite

/// The file of the dead letters with bytes changed, or any bytes as that file: what is there is told, or an error.
let letterFileTarget = FuzzTarget("letter-file") { bytes in
  try withDatabase(Template.letters, bytes) { queue in
    try queue.write { try DeadLetterTable.prepare($0) }
    try attempt { try queue.write(useLetters) }
    try? queue.read { try StoreDatabase.lookThrough($0) }
  }
}

/// The same for the file of the coordination store.
let storeFileTarget = FuzzTarget("store-file") { bytes in
  try withDatabase(Template.store, bytes) { queue in
    try queue.write { try StoreDatabase.prepare($0) }
    try attempt { try queue.write(useStore) }
    try? queue.read { try StoreDatabase.lookThrough($0) }
  }
}

private func useLetters(_ database: Database) throws {
  let identifiers = try DeadLetterTable.page(DeadLetterQuery(bodyLimit: 3), database).letters.map(\.identifier)
  for identifier in identifiers.prefix(4) {
    guard let letter = try DeadLetterTable.letter(identifier, database) else { continue }
    try promise(letter.cost >= letter.message.body.count, "a letter is charged with less than its body")
    _ = letter.json.serialized()
  }
  _ = try? DeadLetterTable.counts(database)
  _ = try? DeadLetterTable.mark(identifiers.first ?? "", as: "x", insteadOf: "", database)
  try? DeadLetterTable.insert(Template.letter("9"), database)
  try? DeadLetterTable.dropOldest(beyond: DeadLetterCapacity(letters: 2, bytes: 4096), database)
  _ = try? DeadLetterTable.purge(DeadLetterFilter(target: "o*"), database)
}

private func useStore(_ database: Database) throws {
  let now = MonotonicTime(nanoseconds: 1_000_000_000)
  _ = try? StoreDatabase.range(StoreRange(prefix: "", limit: 10), database)
  _ = try? StoreDatabase.changes(after: 0, database)
  for lease in (try? StoreDatabase.leases(database)) ?? [] {
    _ = try? StoreDatabase.isAlive(lease.identifier, now: now, boot: "b", database)
  }
  let transaction = StoreTransaction(
    when: [.isAbsent("k"), .createRevision("a", equals: 2)],
    then: [.put(key: "a", value: [1], lease: 5), .delete(key: "b"), .get(key: "c")],
    otherwise: [.put(key: "a", value: [2], lease: 0)])
  _ = try? StoreDatabase.commit(transaction, now: now, boot: "b", database)
  try? StoreDatabase.endLease(5, database)
  try? StoreDatabase.raiseRevision(to: 1000, database)
}

// MARK: Files

/// Opens what an input stands for: its own bytes as a file, or a sound file with pieces of the input in it. The second
/// is much more often asked for and stays in memory, where a connection takes a file in without being opened again.
private func withDatabase(_ template: [UInt8], _ bytes: [UInt8], _ body: (DatabaseQueue) throws -> Void) throws {
  var input = FuzzBytes(bytes)
  if input.choice(8) == 0 { return try withFile(input.remainder(), body) }
  let file = changed(template, &input)
  guard let queue = Memory.queue, take(file, queue) else { return }
  try attempt { try body(queue) }
}

private enum Memory {
  static let queue = try? DatabaseQueue(configuration: StoreDatabase.configuration())
}

/// Puts `file` in the place of what `queue` had.
private func take(_ file: [UInt8], _ queue: DatabaseQueue) -> Bool {
  queue.unsafeReentrantWrite { database in
    defer { database.clearSchemaCache() }
    guard let copy = sqlite3_malloc64(UInt64(file.count)) else { return false }
    file.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: copy, count: file.count).copyMemory(from: $0) }
    // Freed by SQLite, also where it does not take it.
    let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE)
    let count = Int64(file.count)
    return sqlite3_deserialize(
      database.sqliteConnection, "main", copy.assumingMemoryBound(to: UInt8.self), count, count, flags) == SQLITE_OK
  }
}

private func changed(_ template: [UInt8], _ input: inout FuzzBytes) -> [UInt8] {
  var file = template
  var changes = 0
  while !input.isEmpty, changes < 64 {
    changes += 1
    let piece = input.take(1 + input.choice(16))
    let place = input.number() % max(1, file.count)
    for (offset, byte) in piece.enumerated() where place + offset < file.count { file[place + offset] = byte }
  }
  return file
}

/// Writes `bytes` to a file where the memory is, and opens them as a database.
private func withFile(_ bytes: [UInt8], _ body: (DatabaseQueue) throws -> Void) throws {
  let directory = "/dev/shm/gridctl-fuzz-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
  guard mkdir(directory, 0o700) == 0 else { return }
  let path = directory + "/file.sqlite"
  defer {
    for end in ["", "-wal", "-shm", "-journal"] { unlink(path + end) }
    rmdir(directory)
  }
  write(bytes, to: path)
  // What is no database is refused.
  guard let queue = try? DatabaseQueue(path: path, configuration: StoreDatabase.configuration()) else { return }
  defer { try? queue.close() }
  try attempt { try body(queue) }
}

/// What a damaged file cannot give is an error, and no broken promise.
private func attempt(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as BrokenPromise {
    throw error
  } catch {
    _ = StoreEngine.reason(error)
  }
}

private func write(_ bytes: [UInt8], to path: String) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard written > 0 else { return }
    rest = rest.dropFirst(written)
  }
}

/// Sound files, made once.
private enum Template {
  static let letters = make { database in
    try DeadLetterTable.prepare(database)
    for name in ["1", "2", "3"] { try DeadLetterTable.insert(letter(name), database) }
    try DeadLetterTable.noteDropped(2, database)
  }

  static let store = make { database in
    try StoreDatabase.prepare(database)
    let now = MonotonicTime(nanoseconds: 1_000_000_000)
    try StoreDatabase.insertLease(5, boot: "b", expires: MonotonicTime(nanoseconds: 2_000_000_000), database)
    for key in ["a", "b", "c"] {
      let transaction = StoreTransaction(then: [.put(key: key, value: [1, 2, 3], lease: key == "b" ? 5 : 0)])
      _ = try StoreDatabase.commit(transaction, now: now, boot: "b", database)
    }
  }

  static func letter(_ identifier: String) -> DeadLetter {
    DeadLetter(
      identifier: identifier, at: CalendarTime(millisecondsSince1970: 1_700_000_000_000), reason: .stopped,
      target: "orders", sender: "n2", node: "n1",
      message: Message(body: Array("body \(identifier)".utf8), contentType: .text, headers: [.init("a", "b")]))
  }

  private static func make(_ fill: (Database) throws -> Void) -> [UInt8] {
    let path = "/dev/shm/gridctl-fuzz-template-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    defer { unlink(path) }
    guard let queue = try? DatabaseQueue(path: path), (try? queue.write(fill)) != nil else { return [] }
    try? queue.close()
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }
}
