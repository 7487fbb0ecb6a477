internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridStoreEtcd

@Suite("A transaction whose answer was lost")
struct LostAnswerTests {
  private static let ours: Int64 = 7
  private static let claim = StoreTransaction(
    when: [.isAbsent("name")], then: [.put(key: "name", value: [1], lease: ours)], otherwise: [.get(key: "name")])

  private func lost(_ transaction: StoreTransaction, isShared: Bool = false) -> LostAnswer {
    LostAnswer(transaction: transaction, revisionBefore: 100, ownLeases: [Self.ours], isShared: isShared)
  }

  private func entry(_ value: [UInt8], at revision: Int64, created: Int64? = nil, lease: Int64 = ours) -> StoreEntry {
    StoreEntry(
      key: "name", value: value, createRevision: created ?? revision, modifyRevision: revision, lease: lease)
  }

  private func verdict(_ lost: LostAnswer, _ entry: StoreEntry?) -> LostAnswer.Verdict {
    lost.verdict(entry.map { [Data("name".utf8): $0] } ?? [:])
  }

  @Test("was carried out when an entry is there that only it can have written")
  func carriedOut() {
    #expect(verdict(lost(Self.claim), entry([1], at: 101)) == .carriedOut(revision: 101))
  }

  @Test("was not when the entry is older, another's, or of another value")
  func notCarriedOut() {
    #expect(verdict(lost(Self.claim), entry([1], at: 100)) == .notCarriedOut)
    #expect(verdict(lost(Self.claim), entry([1], at: 101, lease: 8)) == .notCarriedOut)
    #expect(verdict(lost(Self.claim), entry([2], at: 101)) == .notCarriedOut)
  }

  @Test("stays open when nothing is there, or another transaction of ours wrote the same at the same time")
  func open() {
    #expect(verdict(lost(Self.claim), nil) == .open)
    #expect(verdict(lost(Self.claim, isShared: true), entry([1], at: 101)) == .open)
  }

  @Test("stays open without a lease, whose entries anybody may write, unless it had failed before it was sent")
  func withoutLease() {
    let swap = StoreTransaction(
      when: [.modifyRevision("name", equals: 90)], then: [.put(key: "name", value: [1], lease: 0)])
    #expect(verdict(lost(swap), entry([1], at: 101, created: 50, lease: 0)) == .open)
    #expect(verdict(lost(swap), entry([1], at: 95, created: 50, lease: 0)) == .notCarriedOut)
    #expect(verdict(lost(swap), entry([1], at: 90, created: 50, lease: 0)) == .open)
  }

  @Test(
    "may be sent again only when that cannot do it twice",
    arguments: [
      (claim, true),
      (StoreTransaction(then: [.put(key: "name", value: [1], lease: ours)]), false),
      (StoreTransaction(when: [.isAbsent("other")], then: [.put(key: "name", value: [1], lease: ours)]), false),
      (StoreTransaction(when: [.modifyRevision("name", equals: 3)], then: [.delete(key: "name")]), true),
      (StoreTransaction(when: [.createRevision("name", equals: 3)], then: [.delete(key: "name")]), true),
      // Its create revision stays what it is.
      (
        StoreTransaction(
          when: [.createRevision("name", equals: 3)], then: [.put(key: "name", value: [1], lease: ours)]), false
      ),
      (
        StoreTransaction(
          when: [.isAbsent("name")], then: [.put(key: "name", value: [1], lease: ours)],
          otherwise: [.put(key: "log", value: [], lease: 0)]), false
      ),
    ] as [(StoreTransaction, Bool)])
  func again(transaction: StoreTransaction, isAllowed: Bool) {
    #expect(lost(transaction).canBeSentAgain == isAllowed)
  }

  @Test("names by their bytes what is to be read, once")
  func witnesses() {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    let transaction = StoreTransaction(
      when: [.isAbsent(composed), .isAbsent("other")],
      then: [
        .put(key: composed, value: [], lease: 1), .put(key: decomposed, value: [], lease: 1), .get(key: "unread"),
      ])
    let names = lost(transaction).witnesses.map { Array($0.utf8) }
    #expect(names == [composed, decomposed, "other"].map { Array($0.utf8) })
  }

  @Test("two writers of a key at a time make each other's traces ambiguous, also after the first has ended")
  func writesInProgress() {
    let writes = WritesInProgress()
    let first = writes.begin([Data("a".utf8)])
    let apart = writes.begin([Data("b".utf8)])
    #expect(!writes.isShared(first))
    let second = writes.begin([Data("a".utf8), Data("c".utf8)])
    writes.end(first)
    #expect(writes.isShared(second))
    #expect(!writes.isShared(apart))
    writes.end(second)
    let third = writes.begin([Data("a".utf8)])
    #expect(!writes.isShared(third))
  }
}
