internal import GridCore

extension CoordinationStoreConformance {
  static let valueCases: [Case] = [
    Case("values hold any bytes, and none") { trial in
      let values: [[UInt8]] = [[], [0], Array(0...255), Array("\u{0}text\u{0}".utf8), [0xFF, 0xFE, 0xC0]]
      for (number, value) in values.enumerated() {
        let key = trial.root + "key\(number)"
        _ = try await trial.store.commit(StoreTransaction(then: [.put(key: key, value: value, lease: 0)]))
        try expectEqual(try await trial.store.get(key)?.value, value, "value \(number)")
      }
    },
    Case("a value of 1 MiB comes back unchanged, by get, range and watch", largeValue),
    Case("keys hold any UTF-8, and are told apart by their bytes", unicodeKeys),
    Case("a prefix is compared by bytes, in reads and in watches", bytePrefixes),
  ]

  @Sendable private static func largeValue(_ trial: Trial) async throws {
    let value = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let before = try await trial.store.range(prefix: trial.root).revision
    _ = try await trial.store.commit(
      StoreTransaction(then: [.put(key: trial.root + "large", value: value, lease: 0)]))
    try expect(try await trial.get("large")?.value == value, "get gave another value")
    let ranged = try await trial.store.range(prefix: trial.root).entries
    try expect(ranged.map(\.value) == [value], "range gave another value")
    try await withWatch(trial.store, prefix: trial.root, after: before) { recorder in
      let changes = try await recorder.changes(1, within: trial.patience)
      guard case .put(let entry)? = changes.first else { throw ConformanceFailure("the watch told of no put") }
      try expect(entry.value == value, "the watch gave another value")
    }
  }

  /// The same letter twice: as one code point, and as a letter with a combining accent.
  private static let composed = "caf\u{E9}"
  private static let decomposed = "cafe\u{301}"

  @Sendable private static func unicodeKeys(_ trial: Trial) async throws {
    let keys = [composed, decomposed, "日本語", "🇳🇱", "a b", "tab\t", "'quote\"", "new\nline", "nul\u{0}inside", "nul"]
    for (number, key) in keys.enumerated() { try await trial.put(key, "\(number)") }
    for (number, key) in keys.enumerated() {
      try expectEqual(try await trial.get(key)?.text, "\(number)", "the value at key \(key.debugDescription)")
    }
    let found = try await trial.store.range(prefix: trial.root).entries
    try expectEqual(
      Set(found.map { Array($0.key.utf8) }), Set(keys.map { Array((trial.root + $0).utf8) }), "the keys' bytes")
    try await trial.delete(composed)
    try expectEqual(try await trial.get(decomposed)?.text, "1", "the key that only looks the same")
  }

  @Sendable private static func bytePrefixes(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    for key in [composed, decomposed, "cafe", "caf", "cafe\u{0}x"] { try await trial.put(key, key) }
    let expected = ["cafe", "cafe\u{0}x", decomposed]
    let found = try await trial.store.range(prefix: trial.root + "cafe").entries.map { Array($0.value) }
    try expectEqual(found, expected.map { Array($0.utf8) }, "the range under the prefix")
    try await withWatch(trial.store, prefix: trial.root + "cafe", after: before) { recorder in
      let changes = try await recorder.changes(3, within: trial.patience)
      try expectEqual(
        Set(changes.map { Array($0.key.utf8) }), Set(expected.map { Array((trial.root + $0).utf8) }),
        "the watch under the prefix")
    }
  }
}
