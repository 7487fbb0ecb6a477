internal import GridCore

extension DeadLetterLogConformance {
  static let pagingCases: [Case] = [
    Case("pages follow one another, newest first, and have every letter once") { log in
      try await log.append((0..<50).map { letter($0) })
      for bytes in [1, 1000, 5000, 1 << 20] {
        var query = DeadLetterQuery(maximumBytes: bytes)
        var seen: [String] = []
        var pages = 0
        repeat {
          let page = try await log.page(query)
          seen += identifiers(page.letters)
          query.before = page.next
          pages += 1
        } while query.before != nil && pages < 100
        try expectEqual(seen, identifiers((0..<50).reversed()), "the letters in pages of \(bytes) bytes")
        try expectEqual(pages, bytes == 1 ? 50 : bytes == 1 << 20 ? 1 : pages, "the pages of \(bytes) bytes")
      }
    },
    Case("a page ends at the limit, and says so only when there is more") { log in
      try await log.append((0..<5).map { letter($0, target: $0 == 0 ? "other" : "worker") })
      let whole = try await log.page(DeadLetterQuery(DeadLetterFilter(target: "worker", limit: 4)))
      try expectEqual(identifiers(whole.letters), identifiers([4, 3, 2, 1]), "all that match")
      try expectEqual(whole.next, nil, "what follows all that match")
      let part = try await log.page(DeadLetterQuery(DeadLetterFilter(limit: 2)))
      try expectEqual(identifiers(part.letters), identifiers([4, 3]), "the newest two")
      try expectEqual(part.next, letter(3).identifier, "what follows them")
      let none = try await log.page(DeadLetterQuery(DeadLetterFilter(limit: 0)))
      try expectEqual(none, DeadLetterPage(), "none")
    },
    Case("bodies are cut where less is wanted, and their size is told") { log in
      let text = [UInt8](repeating: 65, count: 1000)
      try await log.append([letter(1, message: Message(body: text)), letter(2, message: Message("short"))])
      for limit in [0, 10, 1000, .max] {
        let page = try await log.page(DeadLetterQuery(bodyLimit: limit))
        try expectEqual(page.letters.map(\.bodyBytes), [5, 1000], "the sizes with \(limit)")
        try expectEqual(
          page.letters.map(\.message.body.count), [min(5, limit), min(1000, limit)], "what is there with \(limit)")
        try expectEqual(page.letters.map(\.isBodyCut), [limit < 5, limit < 1000], "what is cut with \(limit)")
      }
      try expectEqual(try await log.letter(letter(1).identifier)?.message.body, text, "the whole body")
    },
  ]

  static let replayCases: [Case] = [
    Case("letters that were replayed, and those that were not, can be asked for") { log in
      for number in 1...3 { try await log.append([letter(number)]) }
      try expectEqual(
        try await log.markReplayed(letter(2).identifier, as: letter(9).identifier, insteadOf: ""), true, "the mark")
      let open = try await log.list(DeadLetterFilter(isReplayed: false))
      try expectEqual(identifiers(open), identifiers([1, 3]), "those not replayed")
      let replayed = try await log.list(DeadLetterFilter(isReplayed: true))
      try expectEqual(identifiers(replayed), identifiers([2]), "those replayed")
    },
    Case("a letter is marked as replayed once, stays so, and is otherwise as it was") { log in
      try await log.append([letter(1), letter(2)])
      let mark = letter(9).identifier
      try expectEqual(try await log.markReplayed(letter(1).identifier, as: mark, insteadOf: ""), true, "the mark")
      try expectEqual(try await log.markReplayed(letter(1).identifier, as: "x", insteadOf: ""), false, "a second")
      try expectEqual(try await log.markReplayed(letter(2).identifier, as: "x", insteadOf: mark), false, "a wrong one")
      var expected = letter(1)
      expected.replayedAs = mark
      try expectEqual(try await log.list(DeadLetterFilter()), [expected, letter(2)], "the letters")
      try expectEqual(try await log.markReplayed(letter(1).identifier, as: "", insteadOf: mark), true, "taken back")
      try expectEqual(try await log.letter(letter(1).identifier), letter(1), "the letter without a mark")
    },
    Case("of many marks at once one is taken") { log in
      try await log.append([letter(1)])
      let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<16 {
          group.addTask { try await log.markReplayed(letter(1).identifier, as: "mark-\(number)", insteadOf: "") }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      try expectEqual(taken, 1, "the marks that were taken")
    },
  ]

  static let roomCases: [Case] = [
    Case("beyond the bytes the oldest are dropped and counted", bytes: 10_000) { log in
      for number in 0..<20 {
        try await log.append([letter(number, message: Message(body: [UInt8](repeating: 65, count: 2000)))])
      }
      let kept = try await log.list(DeadLetterFilter())
      try expectEqual(identifiers(kept), identifiers(Array((20 - kept.count)..<20)), "the newest")
      let counts = try await log.counts()
      try expectEqual(counts.kept + counts.dropped, 20, "all that came")
      try expectEqual(counts.bytes, kept.reduce(0) { $0 + $1.cost }, "the bytes")
      try expectEqual((3...4).contains(counts.kept), true, "as many as there is room for")
      try await log.append([letter(30, message: Message(body: [UInt8](repeating: 65, count: 20_000)))])
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 0, folded: 0, dropped: 21), "one too large")
    },
    Case("what was dropped on the way is counted, and forgotten when everything is removed", capacity: 2) { log in
      try await log.append([letter(1)], dropped: 7)
      try await log.append([], dropped: 3)
      try await log.append([letter(2), letter(3)])
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 2, folded: 0, dropped: 11), "the counts")
      try expectEqual(try await log.purge(DeadLetterFilter(target: "worker")), 2, "a purge with a condition")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 0, folded: 0, dropped: 11), "after it")
      try expectEqual(try await log.purge(DeadLetterFilter()), 0, "a purge without one")
      try expectEqual(try await log.counts(), DeadLetterCounts(kept: 0, folded: 0, dropped: 0), "after that")
    },
    Case("a flood in batches is kept letter by letter, in order", capacity: 30_000) { log in
      for batch in 0..<8 { try await log.append((0..<1000).map { letter(batch * 1000 + $0) }) }
      try expectEqual(identifiers(try await log.list(DeadLetterFilter())), identifiers(Array(0..<8000)), "the letters")
    },
  ]
}
