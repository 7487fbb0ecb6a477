internal import Foundation
internal import FuzzSupport
internal import GridCore
internal import SwiftProtobuf

@testable internal import GridStoreEtcd

/// Bytes as each answer of etcd: refused, or read as what the store's port knows, with no key become another one, and
/// no page that would be asked for ever.
let etcdTarget = FuzzTarget("etcd") { bytes in
  var input = FuzzBytes(bytes)
  let choice = input.choice(7)
  let mapping = EtcdMapping(prefix: ["", "/gridctl", "/two/parts"][input.choice(3)])
  let era = Era(base: number(&input), beginning: 2)
  switch choice {
  case 0: try checkRange(mapping, era, &input)
  case 1: try checkTransaction(mapping, era, input.remainder())
  case 2: try checkWatch(mapping, era, &input)
  case 3: try checkListing(mapping, &input)
  case 4: try checkLease(input.remainder())
  case 5: try checkEra(input.remainder())
  default: try checkPlace(input.remainder())
  }
}

/// A whole number of 64 bits that is more often at an end of the scale than in its middle.
private func number(_ input: inout FuzzBytes) -> Int64 {
  let bits = input.take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  switch input.choice(4) {
  case 0: return 1_700_000_000_000_000
  case 1: return Int64(truncatingIfNeeded: bits)
  case 2: return Int64.max - Int64(truncatingIfNeeded: bits & 0xFF)
  default: return Int64.min + Int64(truncatingIfNeeded: bits & 0xFF)
  }
}

private func message<Kind: SwiftProtobuf.Message>(_ type: Kind.Type, _ bytes: [UInt8]) -> Kind? {
  try? type.init(serializedBytes: bytes)
}

// MARK: Answers

/// Pages as a member says them, one after another, however little sense they make together.
private func checkRange(_ mapping: EtcdMapping, _ era: Era, _ input: inout FuzzBytes) throws {
  var range = StoreRange(prefix: "/shop/", limit: 1 + input.choice(8))
  var start = mapping.rangeStart(range.prefix)
  while !input.isEmpty {
    guard let answer = message(Etcdserverpb_RangeResponse.self, input.piece()) else { continue }
    if let next = mapping.start(after: answer, from: start) {
      try promise(start.lexicographicallyPrecedes(next), "a page is asked for again")
      start = next
      continue
    }
    let page = mapping.page(answer, at: range.revision ?? 0)
    try promise(page.entries.count <= answer.kvs.count, "a page has more entries than came")
    for entry in page.entries { try checkKey(entry.key, answer.kvs.map(\.key), mapping) }
    let outer = era.outer(page)
    try promise(outer.entries.allSatisfy { !Era.Key.isOurs($0.key) }, "the keys of the era are shown")
    range = range.following(page)
    if let after = range.after { start = mapping.key(after) + [0] }
  }
}

private func checkKey(_ key: String, _ keys: [Data], _ mapping: EtcdMapping) throws {
  try promise(keys.contains(mapping.key(key)), "a key became another one: \(key)")
}

private func checkTransaction(_ mapping: EtcdMapping, _ era: Era, _ bytes: [UInt8]) throws {
  guard let answer = message(Etcdserverpb_TxnResponse.self, bytes) else { return }
  let outcome = era.outer(mapping.outcome(answer))
  try promise(outcome.reads.count <= answer.responses.count, "more was read than was answered")
  let lost = LostAnswer(
    transaction: StoreTransaction(
      when: [.isAbsent("/a"), .modifyRevision("/b", equals: outcome.revision)],
      then: [.put(key: "/a", value: [1], lease: 5), .get(key: "/b")]),
    revisionBefore: outcome.revision.subtractingClamped(1), ownLeases: [5], isShared: false)
  var entries: [Data: StoreEntry] = [:]
  for (key, entry) in zip(lost.witnesses, outcome.reads) { entries[Data(key.utf8)] = entry }
  guard case .carriedOut(let revision) = lost.verdict(entries) else { return }
  try promise(revision > lost.revisionBefore, "a transaction was carried out before it was sent")
}

private func checkLease(_ bytes: [UInt8]) throws {
  guard let answer = message(Etcdserverpb_LeaseGrantResponse.self, bytes), answer.id != 0, answer.ttl > 0 else {
    _ = message(Etcdserverpb_LeaseKeepAliveResponse.self, bytes)
    return
  }
  let sentAt = MonotonicTime(nanoseconds: 1_000_000_000)
  let lease = HeldLease(
    StoreLease(identifier: answer.id, timeToLive: .seconds(answer.ttl)), observer: NoObserver(), grantSentAt: sentAt)
  try promise(lease.validUntil > sentAt, "a lease is over before it has begun")
  // Etcd counts from 1.
  guard answer.header.revision > 0 else { return }
  lease.carriedOut([(key: Data([1]), lease: answer.id)], at: answer.header.revision)
  lease.forget(Data([1]), upTo: answer.header.revision)
  try promise(lease.witness == nil, "a lease owns what was taken away")
}

private struct NoObserver: LeaseObserver {
  func leaseRenewed(sentAt: MonotonicTime) {}
  func leaseLost(_ reason: GridError) {}
}

// MARK: Watches

/// Answers of a watch in a row: nothing is told twice, and what was told is not missed.
private func checkWatch(_ mapping: EtcdMapping, _ era: Era, _ input: inout FuzzBytes) throws {
  var mirror = WatchMirror(revision: Int64(input.choice(8)))
  while !input.isEmpty {
    guard let answer = message(Etcdserverpb_WatchResponse.self, input.piece()) else { continue }
    let before = mirror.revision
    let news = mirror.take(answer.events)
    try promise(mirror.revision >= before, "a watch goes back")
    try promise(news.allSatisfy { $0.kv.modRevision > before }, "a watch repeats itself")
    let changes = news.compactMap(mapping.change)
    for change in changes { try checkKey(change.key, news.map(\.kv.key), mapping) }
    try promise(era.outer(changes).count <= changes.count, "an era adds changes")
  }
}

/// Pages of keys alone, and what a watch that has heard of nothing else says of them.
private func checkListing(_ mapping: EtcdMapping, _ input: inout FuzzBytes) throws {
  var listing = KeyListing(revisions: [:], revision: Int64(input.byte()))
  var start = mapping.rangeStart("")
  while !input.isEmpty {
    guard let page = message(Etcdserverpb_RangeResponse.self, input.piece()) else { continue }
    guard let next = listing.take(page, from: start) else { break }
    try promise(start.lexicographicallyPrecedes(next), "a page of keys is asked for again")
    start = next
  }
  var mirror = WatchMirror(revision: 0)
  mirror.reset(listing, at: listing.revision)
  mirror.beginComparison()
  // Keys without a revision are no keys of etcd.
  guard listing.revisions.values.allSatisfy({ $0 > 0 }) else { return }
  try promise(!mirror.misses(listing), "a watch misses what it was told")
}

// MARK: Texts

private func checkEra(_ bytes: [UInt8]) throws {
  let entry = StoreEntry(key: Era.Key.present, value: bytes, createRevision: 3, modifyRevision: 3, lease: 0)
  guard let era = Era(entry) else { return }
  try promise(era.base > 0, "an era counts backwards")
  for revision in [0, 1, 1_000_000] {
    let outer = era.outer(Int64(revision))
    guard revision > 0, outer < .max else { continue }
    try promise(era.inner(outer) == revision, "a revision is another one once it was told")
  }
}

private func checkPlace(_ bytes: [UInt8]) throws {
  let text = String(decoding: bytes, as: UTF8.self)
  for candidate in [text, "etcd://" + text] {
    guard let configuration = try? EtcdConfiguration(parsing: candidate) else { continue }
    let again = try? EtcdConfiguration(parsing: configuration.place)
    try promise(again?.endpoints == configuration.endpoints, "\(configuration.place) is another cluster")
    try promise(again?.prefix == configuration.prefix, "\(configuration.place) has another prefix")
  }
}
