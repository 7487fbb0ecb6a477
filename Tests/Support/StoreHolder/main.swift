internal import Foundation
internal import GRDB
internal import Glibc
internal import Grid
internal import GridCore
internal import GridStoreSQLite
internal import GridSystem

// A second process on an embedded store, for tests that kill or stop it. It ends when its standard input does.
//
//   hold STORE MILLISECONDS KEY   holds KEY under a lease and prints “held REVISION”; when the lease is lost it prints
//                                 “lost CODE”, tries to put again, and prints “put CODE”
//   contend STORE KEY COUNT       raises the number at KEY so often, and prints it each time
//   lock STORE                    begins a transaction that it never ends, and prints “locked”
//   open STORE LETTERS            opens both files, as nobody when it may, and prints what came of each
//   claim STORE EVIDENCE NAMES    claims and frees so many names for ever, says “holds NAME TOKEN”, “failed CODE
//                                 MESSAGE”, and “two NAME” or “fell NAME” for what must never happen, as files in
//                                 EVIDENCE show
//   append LETTERS                appends letters for ever, and prints the identifier of each that is kept

let arguments = Array(CommandLine.arguments.dropFirst())
let input = Thread {
  var byte: UInt8 = 0
  while read(STDIN_FILENO, &byte, 1) > 0 {}
  exit(0)
}
input.start()

do {
  switch arguments.first {
  case "hold" where arguments.count == 4:
    try await hold(arguments[1], .milliseconds(Int(arguments[2]) ?? 0), arguments[3])
  case "contend" where arguments.count == 4:
    try await contend(arguments[1], arguments[2], Int(arguments[3]) ?? 0)
  case "lock" where arguments.count == 2: try lock(arguments[1])
  case "open" where arguments.count == 3: await open(arguments[1], arguments[2])
  case "claim" where arguments.count == 4: try await claim(arguments[1], arguments[2], Int(arguments[3]) ?? 0)
  case "append" where arguments.count == 2: try await append(arguments[1])
  default: exit(64)
  }
} catch {
  say("failed \(error)")
  exit(1)
}

/// Says when the lease is lost.
struct Holder: LeaseObserver {
  let lost = DispatchSemaphore(value: 0)

  func leaseRenewed(sentAt: MonotonicTime) {}

  func leaseLost(_ reason: GridError) {
    say("lost \(reason.code)")
    lost.signal()
  }

  /// Waits on a thread of its own.
  func waitForLoss() async {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        lost.wait()
        continuation.resume()
      }
    }
  }
}

func hold(_ path: String, _ timeToLive: Duration, _ key: String) async throws {
  let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
  let holder = Holder()
  let lease = try await store.grantLease(timeToLive: timeToLive, observer: holder)
  let put = StoreTransaction(
    when: [.isAbsent(key)], then: [.put(key: key, value: Array("holder".utf8), lease: lease.identifier)])
  let outcome = try await store.commit(put)
  say("held \(outcome.succeeded ? outcome.revision : 0)")
  await holder.waitForLoss()
  do throws(GridError) {
    _ = try await store.commit(StoreTransaction(then: put.success))
    say("put done")
  } catch {
    say("put \(error.code)")
  }
  try await Task.sleep(for: .seconds(600))
}

func contend(_ path: String, _ key: String, _ count: Int) async throws {
  let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
  var done = 0
  while done < count {
    let entry = try await store.get(key)
    let number = (entry.flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } ?? 0) + 1
    let condition = entry.map { StoreComparison.modifyRevision(key, equals: $0.modifyRevision) } ?? .isAbsent(key)
    let outcome = try await store.commit(
      StoreTransaction(when: [condition], then: [.put(key: key, value: Array("\(number)".utf8), lease: 0)]))
    guard outcome.succeeded else { continue }
    done += 1
    say("\(number)")
  }
  await store.close()
}

func lock(_ path: String) throws {
  let queue = try DatabaseQueue(path: path)
  try queue.inTransaction(.immediate) { database in
    try database.execute(sql: "INSERT INTO meta VALUES ('lock', 1)")
    say("locked")
    Thread.sleep(forTimeInterval: 600)
    return .rollback
  }
}

func open(_ store: String, _ letters: String) async {
  if getuid() == 0 { _ = setgid(65534) == 0 && setuid(65534) == 0 }
  do throws(GridError) {
    let store = try await SQLiteCoordinationStore(path: store, clock: SystemClock())
    _ = try await store.commit(StoreTransaction(then: [.put(key: "opened", value: [], lease: 0)]))
    await store.close()
    say("store opened")
  } catch {
    say("store \(error.code) \(error)")
  }
  do throws(GridError) {
    let log = try await SQLiteDeadLetterLog(path: letters)
    _ = try await log.purge(DeadLetterFilter())
    await log.close()
    say("letters opened")
  } catch {
    say("letters \(error.code) \(error)")
  }
}

func append(_ path: String) async throws {
  let log = try await SQLiteDeadLetterLog(path: path)
  var identifiers = DeadLetterIdentifier(generator: SystemRandomNumberGenerator())
  while true {
    let now = SystemClock().date()
    let letter = DeadLetter(
      identifier: identifiers.next(at: now), at: now, reason: .stopped, target: "target", sender: "", node: "n1",
      message: Message("body"))
    try await log.append([letter])
    say(letter.identifier)
  }
}

/// Writes a line at once, whatever standard output is.
func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = write(STDOUT_FILENO, bytes, bytes.count)
}
