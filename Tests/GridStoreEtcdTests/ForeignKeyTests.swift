internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridStoreEtcd

@Suite("Keys of others in etcd, and members that make no sense")
struct ForeignKeyTests {
  private let mapping = EtcdMapping(prefix: "/p")

  private func entry(_ key: [UInt8], _ revision: Int64 = 5) -> Etcdserverpb_KeyValue {
    var entry = Etcdserverpb_KeyValue()
    entry.key = Data("/p/k".utf8) + Data(key)
    entry.modRevision = revision
    return entry
  }

  private func answer(_ keys: [[UInt8]], hasMore: Bool) -> Etcdserverpb_RangeResponse {
    var answer = Etcdserverpb_RangeResponse()
    answer.kvs = keys.map { entry($0) }
    answer.more = hasMore
    return answer
  }

  @Test("a key that is no text is left out, and becomes no other key")
  func noText() {
    #expect(mapping.entry(entry([0xFF])) == nil && mapping.entry(entry([0x61]))?.key == "/ka")
    #expect(mapping.text(Data("/other".utf8)) == nil)
    var event = Etcdserverpb_Event()
    event.kv = entry([0xC3])
    #expect(mapping.change(event) == nil)
    #expect(mapping.page(answer([[0x61], [0xFF]], hasMore: false), at: 0).entries.map(\.key) == ["/ka"])
  }

  @Test("a page of nothing but such keys is read on from behind them")
  func readsOn() {
    let start = mapping.rangeStart("/k")
    let strange = answer([[0xFE], [0xFF]], hasMore: true)
    #expect(mapping.start(after: strange, from: start) == Data("/p/k".utf8) + [0xFF, 0])
    #expect(mapping.start(after: answer([[0xFE], [0x61]], hasMore: true), from: start) == nil)
    #expect(mapping.start(after: answer([[0xFE]], hasMore: false), from: start) == nil)
    #expect(mapping.start(after: answer([], hasMore: true), from: start) == nil)
  }

  @Test("a member that gives the same keys again and again is not asked for ever")
  func sameKeys() throws {
    let start = mapping.rangeStart("/k")
    let page = answer([[0x61], [0xFF]], hasMore: true)
    var listing = KeyListing(revisions: [:], revision: 1)
    let first = listing.take(page, from: start)
    let next = try #require(first)
    #expect(next == Data("/p/k".utf8) + [0xFF, 0] && listing.revisions.count == 2)
    let second = listing.take(page, from: next)
    #expect(second == nil)
    #expect(mapping.start(after: answer([[0xFF]], hasMore: true), from: next) == nil)
  }
}
