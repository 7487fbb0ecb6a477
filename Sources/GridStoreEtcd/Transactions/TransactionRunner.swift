internal import FoundationEssentials
internal import GridCore
internal import SwiftProtobuf

/// Runs transactions, each exactly once as far as anybody can tell.
struct TransactionRunner: Sendable {
  let channel: EtcdChannel
  let mapping: EtcdMapping
  let mark: RevisionMark
  let clock: any GridClock
  let leases: LeaseKeeper
  let writes = WritesInProgress()

  func run(_ transaction: StoreTransaction) async throws(GridError) -> StoreOutcome {
    let written = (transaction.success + transaction.failure).filter { !$0.isRead }
    let ticket = writes.begin(Set(written.map { Data($0.key.utf8) }))
    defer { writes.end(ticket) }
    let outcome = try await run(transaction, isReading: written.isEmpty, ticket)
    mark.heard(outcome.revision)
    leases.carriedOut(outcome.succeeded ? transaction.success : transaction.failure, at: outcome.revision)
    return outcome
  }

  private func run(
    _ transaction: StoreTransaction, isReading: Bool, _ ticket: WritesInProgress.Ticket
  ) async throws(GridError) -> StoreOutcome {
    let revisionBefore = mark.value
    let deadline = clock.now() + channel.configuration.operationTimeout
    let failure: EtcdFailure
    do throws(EtcdFailure) {
      let method: EtcdMethod = isReading ? .reading : .transaction
      return mapping.outcome(try await channel.perform(method, mapping.request(transaction)))
    } catch {
      failure = error
    }
    guard failure.isWorthAnotherAttempt, failure.mayBeApplied, !isReading else {
      throw failure.mayBeApplied && !isReading ? LostAnswer.error(failure.error) : failure.error
    }
    let lost = LostAnswer(
      transaction: transaction, revisionBefore: revisionBefore, ownLeases: leases.identifiers,
      isShared: writes.isShared(ticket))
    return try await reconcile(lost, ticket, until: deadline, failure.error)
  }

  /// Finds out what became of it: by sending it again where that cannot do it twice, else by looking.
  private func reconcile(
    _ lost: LostAnswer, _ ticket: WritesInProgress.Ticket, until deadline: MonotonicTime, _ cause: GridError
  ) async throws(GridError) -> StoreOutcome {
    var cause = cause
    while clock.now() < deadline, !Task.isCancelled {
      do throws(EtcdFailure) {
        if let outcome = try await ask(lost, ticket, within: min(channel.attemptTimeout, deadline - clock.now())) {
          return outcome
        }
        // What was sent may still be on its way, unless it is known to have been decided.
        if lost.canBeSentAgain { break }
      } catch {
        guard error.isWorthAnotherAttempt else { throw error.error }
        cause = error.error
      }
      await channel.thread.sleep(.milliseconds(100))
    }
    if clock.now() >= deadline { channel.foundNobody() }
    throw LostAnswer.error(cause)
  }

  /// - Returns: nil when the question is open.
  private func ask(
    _ lost: LostAnswer, _ ticket: WritesInProgress.Ticket, within timeout: Duration
  ) async throws(EtcdFailure) -> StoreOutcome? {
    let witnesses = lost.witnesses
    let reading = witnesses.map { StoreOperation.get(key: $0) }
    var question = StoreTransaction(then: reading)
    if lost.canBeSentAgain {
      question = lost.transaction
      question.failure += reading
    }
    var outcome = mapping.outcome(try await channel.attempt(.transaction, mapping.request(question), within: timeout))
    mark.heard(outcome.revision)
    if lost.canBeSentAgain, outcome.succeeded { return outcome }
    var entries: [Data: StoreEntry] = [:]
    for (key, entry) in zip(witnesses, outcome.reads.suffix(witnesses.count)) { entries[Data(key.utf8)] = entry }
    outcome.reads.removeLast(min(outcome.reads.count, witnesses.count))
    let known = LostAnswer(
      transaction: lost.transaction, revisionBefore: lost.revisionBefore, ownLeases: lost.ownLeases,
      isShared: writes.isShared(ticket))
    switch known.verdict(entries) {
    case .carriedOut(let revision):
      guard let reads = try await reads(of: lost.transaction, at: revision) else { return nil }
      return StoreOutcome(succeeded: true, revision: revision, reads: reads)
    case .notCarriedOut where lost.canBeSentAgain:
      return StoreOutcome(succeeded: false, revision: outcome.revision, reads: outcome.reads)
    case .notCarriedOut, .open: return nil
    }
  }

  /// What the gets of a transaction that was carried out at `revision` read then; nil when that cannot be told.
  private func reads(of transaction: StoreTransaction, at revision: Int64) async throws(EtcdFailure) -> [StoreEntry?]? {
    let written = Set(transaction.success.filter { !$0.isRead }.map { Data($0.key.utf8) })
    var reads: [StoreEntry?] = []
    for case .get(let key) in transaction.success {
      guard !written.contains(Data(key.utf8)) else { return nil }
      let bytes = mapping.key(key)
      let answer = try await channel.perform(
        .range,
        .with {
          $0.key = bytes
          $0.revision = revision
        })
      reads.append(answer.kvs.first.flatMap(mapping.entry))
    }
    return reads
  }
}
