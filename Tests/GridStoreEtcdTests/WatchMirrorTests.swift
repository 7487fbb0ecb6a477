internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridStoreEtcd

@Suite("What a watch has delivered")
struct WatchMirrorTests {
  private func key(_ name: String) -> Data { Data(name.utf8) }

  private func put(_ name: String, at revision: Int64) -> Etcdserverpb_Event {
    var event = Etcdserverpb_Event()
    event.kv.key = key(name)
    event.kv.modRevision = revision
    return event
  }

  private func delete(_ name: String, at revision: Int64) -> Etcdserverpb_Event {
    var event = put(name, at: revision)
    event.type = .delete
    return event
  }

  private func listing(_ revision: Int64, _ entries: [String: Int64]) -> KeyListing {
    KeyListing(
      revisions: Dictionary(uniqueKeysWithValues: entries.map { (key($0.key), $0.value) }), revision: revision)
  }

  @Test("events at or below its revision are no news")
  func drops() {
    var mirror = WatchMirror(revision: 5)
    #expect(mirror.take([put("a", at: 4), put("b", at: 5), put("c", at: 6), put("d", at: 6)]).count == 2)
    #expect(mirror.revision == 6)
    #expect(mirror.take([put("c", at: 6)]).isEmpty)
  }

  @Test("agrees with a reading of what was delivered")
  func agrees() {
    var mirror = WatchMirror(revision: 5)
    mirror.reset(listing(5, ["old": 3]), at: 5)
    mirror.beginComparison()
    _ = mirror.take([put("a", at: 6), delete("old", at: 7)])
    #expect(!mirror.misses(listing(7, ["a": 6])))
    #expect(!mirror.misses(listing(6, ["a": 6, "old": 3])))
  }

  @Test("misses a put, a change and a delete that did not come")
  func misses() {
    var mirror = WatchMirror(revision: 5)
    mirror.reset(listing(5, ["old": 3]), at: 5)
    mirror.beginComparison()
    #expect(mirror.misses(listing(8, ["old": 3, "new": 8])))
    #expect(mirror.misses(listing(8, ["old": 8])))
    #expect(mirror.misses(listing(8, [:])))
  }

  @Test("what came after the reading is no difference")
  func later() {
    var mirror = WatchMirror(revision: 5)
    mirror.reset(listing(5, ["old": 3, "gone": 4]), at: 5)
    mirror.beginComparison()
    _ = mirror.take([put("old", at: 9), put("new", at: 10), delete("gone", at: 11)])
    #expect(!mirror.misses(listing(6, ["old": 3, "gone": 4])))
  }

  @Test("keeps no account of more keys than it may, and says so")
  func tooMany() {
    var mirror = WatchMirror(revision: 5)
    mirror.reset(nil, at: 5)
    #expect(!mirror.isComparable && mirror.revision == 5)
    #expect(mirror.take([put("a", at: 6)]).count == 1)
    mirror.reset(listing(6, ["a": 6]), at: 6)
    #expect(mirror.isComparable)
    _ = mirror.take((0..<WatchMirror.capacity).map { put("k\($0)", at: 7) })
    #expect(!mirror.isComparable && mirror.revision == 7)
  }
}
