internal import GridCore

extension CoordinationStoreConformance {
  static let entryCases: [Case] = [
    Case("a store describes itself") { trial in
      let description = try await trial.store.describe()
      try expect(!description.engine.isEmpty && !description.place.isEmpty, "an empty description: \(description)")
    },
    Case("get finds what was put, and nothing where nothing was put") { trial in
      try await trial.put("key", "value")
      try expectEqual(try await trial.get("key")?.text, "value", "the value")
      try expectEqual(try await trial.get("ke"), nil, "the entry at a prefix of the key")
      try expectEqual(try await trial.get("key2"), nil, "the entry at a longer key")
    },
    Case("an entry keeps its create revision until it is deleted, and gets a larger one afterwards", createRevisions),
    Case("a revision is the store's at the time of the read, and only grows", snapshotRevisions),
    Case("range is sorted by the bytes of the keys, and keeps to its prefix", sortedRange),
    Case("range with an empty prefix gives everything") { trial in
      for key in ["b", "a"] { try await trial.put(key) }
      let keys = try await trial.store.range(prefix: "").entries.map(\.key)
      try expectEqual(
        keys.filter { $0.hasPrefix(trial.root) }, [trial.root + "a", trial.root + "b"], "our keys among all")
      try expect(isSortedByBytes(keys), "all keys should be sorted by their bytes")
    },
    Case("range where nothing is gives no entries and the revision") { trial in
      let put = try await trial.put("elsewhere")
      let snapshot = try await trial.store.range(prefix: trial.root + "nothing/")
      try expectEqual(snapshot.entries, [], "the entries")
      try expect(snapshot.revision >= put.revision, "the revision fell from \(put.revision) to \(snapshot.revision)")
    },
    Case("pages of any size add up to the range, and say whether there is more", pages),
    Case("what changes while it is read page by page is in the pages or told by a watch", clients: 2, changingPages),
    Case("1 000 keys can be written and read in one range", thousandKeys),
    Case("clients of one store see each other's writes at once", clients: 2) { trial in
      for round in 0..<50 {
        try await trial.put("key", "\(round)")
        let seen = try await trial.client(1).get(trial.root + "key")?.text
        try expectEqual(seen, "\(round)", "what the other client reads after the write returned")
      }
    },
    Case("a closed store refuses work and can be closed again", clients: 2) { trial in
      await trial.store.close()
      await trial.store.close()
      try await trial.expectError(.unavailable, "get on a closed store") { _ = try await trial.get("key") }
      try await trial.expectError(.unavailable, "put on a closed store") { try await trial.put("key") }
      try await trial.expectError(.unavailable, "a lease of a closed store") { _ = try await trial.lease() }
      _ = try await trial.client(1).get(trial.root + "key")
    },
  ]

  @Sendable private static func createRevisions(_ trial: Trial) async throws {
    let first = try await trial.put("key", "1")
    let created = try unwrap(try await trial.get("key"), "the entry")
    try expectEqual(created.createRevision, first.revision, "the create revision")
    try expectEqual(created.modifyRevision, first.revision, "the modify revision")
    try expectEqual(created.lease, 0, "the lease")
    let second = try await trial.put("key", "2")
    let changed = try unwrap(try await trial.get("key"), "the entry after a change")
    try expectEqual(changed.createRevision, first.revision, "the create revision after a change")
    try expectEqual(changed.modifyRevision, second.revision, "the modify revision after a change")
    try expect(second.revision > first.revision, "a change must raise the revision")
    let gone = try await trial.delete("key")
    try expect(gone.revision > second.revision, "a delete must raise the revision")
    try expectEqual(try await trial.get("key"), nil, "the entry after its delete")
    let third = try await trial.put("key", "3")
    let again = try unwrap(try await trial.get("key"), "the entry after it came again")
    try expectEqual(again.createRevision, third.revision, "the create revision of the entry that came again")
    try expect(third.revision > gone.revision, "the new entry must have a larger revision")
  }

  @Sendable private static func snapshotRevisions(_ trial: Trial) async throws {
    var last = try await trial.store.range(prefix: trial.root).revision
    for round in 0..<20 {
      let outcome = try await trial.put("key\(round)")
      let snapshot = try await trial.store.range(prefix: trial.root)
      try expect(outcome.revision > last, "revision \(outcome.revision) after \(last)")
      try expect(snapshot.revision >= outcome.revision, "a read at \(snapshot.revision) after \(outcome.revision)")
      try expectEqual(snapshot.entries.count, round + 1, "the entries")
      try expect(
        snapshot.entries.allSatisfy { $0.modifyRevision <= snapshot.revision }, "an entry from after its snapshot")
      last = outcome.revision
    }
  }

  @Sendable private static func sortedRange(_ trial: Trial) async throws {
    let inside = ["a/Z", "a/a", "a/aa", "a/b", "a/É", "a/é", "a/😀", "a/ a", "a/~", "a/%", "a/_", "a/*"]
    for key in (inside + ["a", "a0", "b/a", "A/a"]).shuffled() { try await trial.put(key, key) }
    let found = try await trial.store.range(prefix: trial.root + "a/").entries
    try expectEqual(found.map(\.text).sorted(by: precedes), inside.sorted(by: precedes), "the values under the prefix")
    try expect(isSortedByBytes(found.map(\.key)), "the keys should be sorted by their bytes: \(found.map(\.key))")
    let wildcards = try await trial.store.range(prefix: trial.root + "a/%").entries
    try expectEqual(wildcards.map(\.text), ["a/%"], "a prefix is no pattern")
  }

  @Sendable private static func thousandKeys(_ trial: Trial) async throws {
    for start in stride(from: 0, to: 1000, by: 100) {
      let puts = (start..<start + 100).map { number in
        StoreOperation.put(key: trial.root + "\(10_000 + number)", value: Array("\(number)".utf8), lease: 0)
      }
      _ = try await trial.store.commit(StoreTransaction(then: puts))
    }
    let entries = try await trial.store.range(prefix: trial.root).entries
    try expectEqual(entries.map(\.text), (0..<1000).map { "\($0)" }, "the values in the order of their keys")
  }

  @Sendable private static func pages(_ trial: Trial) async throws {
    let names = (0..<23).map { "p/\($0 < 10 ? "0" : "")\($0)" }
    for name in names + ["o", "p", "p0", "q/1"] { try await trial.put(name, name) }
    let whole = try await trial.store.range(prefix: trial.root + "p/").entries
    try expectEqual(whole.map(\.text), names, "the range as a whole")
    for limit in [1, 2, 7, 22, 23, 24, 5000] {
      var (entries, sizes): ([StoreEntry], [Int]) = ([], [])
      try await trial.store.pages(of: StoreRange(prefix: trial.root + "p/", limit: limit)) { page in
        entries += page.entries
        sizes.append(page.entries.count)
      }
      try expectEqual(entries, whole, "the pages of \(limit)")
      try expect(sizes.allSatisfy { $0 <= limit }, "pages of \(sizes) where \(limit) were asked for")
    }
    for (after, expected) in [("p/21", ["p/22"]), ("p/22", []), ("p/220", []), ("p/215", ["p/22"]), ("o", names)] {
      let page = try await trial.store.range(StoreRange(prefix: trial.root + "p/", after: trial.root + after))
      try expectEqual(page.entries.map(\.text), expected, "what comes after \(after)")
      try expect(!page.hasMore, "there is nothing after the last")
    }
  }

  @Sendable private static func changingPages(_ trial: Trial) async throws {
    for number in 0..<40 { try await trial.put("k\(number)", "old") }
    let writer = trial.client(1)
    var range = StoreRange(prefix: trial.root, limit: 4)
    var (found, first): ([String: StoreEntry], Int64?) = ([:], nil)
    var step = 0
    while true {
      let page = try await trial.store.range(range)
      first = first ?? page.revision
      for entry in page.entries { found[entry.key] = entry }
      for key in ["k\(step)", "k\(39 - step)"] {
        let value = Array("\(step)".utf8)
        let operation: StoreOperation =
          step.isMultiple(of: 3) ? .delete(key: trial.root + key) : .put(key: trial.root + key, value: value, lease: 0)
        _ = try await writer.commit(StoreTransaction(then: [operation]))
      }
      step += 1
      guard page.hasMore else { break }
      range = range.following(page)
    }
    let last = try await writer.commit(
      StoreTransaction(then: [.put(key: trial.root + "last", value: [], lease: 0)]))
    let start = try unwrap(first, "the revision of the first page")
    try await withWatch(trial.store, prefix: trial.root, after: start) { watch in
      try await eventually(within: trial.patience, "the last change") { watch.changes.last?.revision == last.revision }
      for change in watch.changes where found[change.key]?.modifyRevision ?? .min < change.revision {
        if case .put(let entry) = change { found[change.key] = entry } else { found[change.key] = nil }
      }
    }
    let whole = try await trial.store.range(prefix: trial.root).entries
    try expectEqual(found.values.sorted { $0.key < $1.key }, whole.sorted { $0.key < $1.key }, "pages with changes")
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func isSortedByBytes(_ keys: [String]) -> Bool {
    zip(keys, keys.dropFirst()).allSatisfy { !precedes($0.1, $0.0) }
  }
}
