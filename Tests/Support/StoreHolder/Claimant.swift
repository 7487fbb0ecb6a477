internal import Foundation
internal import Glibc
internal import Grid
internal import GridCore
internal import GridStoreSQLite
internal import GridSystem
internal import Synchronization

/// What this process believes that it holds, shown to the others by locks on files: two that believe it of one name at
/// once meet there.
final class Evidence: LeaseObserver {
  private struct State {
    var locks: [String: Int32] = [:]
    var isLost = false
  }

  private let directory: String
  private let state = Mutex(State())

  init(_ directory: String) { self.directory = directory }

  var isLost: Bool { state.withLock { $0.isLost } }

  func leaseRenewed(sentAt: MonotonicTime) {}

  func leaseLost(_ reason: GridError) {
    let locks = state.withLock { state in
      state.isLost = true
      defer { state.locks = [:] }
      return state.locks.values
    }
    for lock in locks { close(lock) }
  }

  /// Notes that a name is held; what the lease's loss has overtaken is not.
  func holds(_ name: String, _ token: Int64) {
    let file = open("\(directory)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    let (isHeld, isTaken) = state.withLock { state -> (Bool, Bool) in
      if state.isLost { return (false, false) }
      state.locks[name] = file
      return (true, flock(file, LOCK_EX | LOCK_NB) != 0)
    }
    guard isHeld else {
      close(file)
      return
    }
    if isTaken { say("two \(name)") }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(file, &bytes, bytes.count, 0)
    let before = Int64(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)) ?? 0
    if count >= 0, token <= before { say("fell \(name) from \(before) to \(token)") }
    let text = Array("\(token)".utf8)
    if pwrite(file, text, text.count, 0) == text.count { ftruncate(file, off_t(text.count)) }
    say("holds \(name) \(token)")
  }

  func frees(_ name: String) {
    if let lock = state.withLock({ $0.locks.removeValue(forKey: name) }) { close(lock) }
  }
}

/// Claims and frees names until the process ends, whatever becomes of the file.
func claim(_ path: String, _ directory: String, _ names: Int) async throws {
  let store = try await SQLiteCoordinationStore(path: path, clock: SystemClock())
  while true {
    let evidence = Evidence(directory)
    do throws(GridError) {
      let lease = try await store.grantLease(timeToLive: .seconds(1), observer: evidence)
      while !evidence.isLost { try await round(store, lease, evidence, names) }
    } catch {
      say("failed \(error.code) \(error) \(error.hint ?? "")")
    }
    try await Task.sleep(for: .milliseconds(20))
  }
}

private func round(
  _ store: SQLiteCoordinationStore, _ lease: StoreLease, _ evidence: Evidence, _ names: Int
) async throws(GridError) {
  for number in 0..<names where !evidence.isLost {
    let name = "name\(number)"
    let outcome = try await store.commit(
      StoreTransaction(when: [.isAbsent(name)], then: [.put(key: name, value: [1], lease: lease.identifier)]))
    guard outcome.succeeded else { continue }
    evidence.holds(name, outcome.revision)
    try? await Task.sleep(for: .milliseconds(Int64.random(in: 1...20)))
    evidence.frees(name)
    _ = try await store.commit(
      StoreTransaction(when: [.createRevision(name, equals: outcome.revision)], then: [.delete(key: name)]))
  }
  try? await Task.sleep(for: .milliseconds(2))
}
