internal import GridCore

extension DeadLetterLogConformance {
  static let keepingCases: [Case] = [
    Case("an empty log has nothing") { log in
      try expectEqual(try await log.list(DeadLetterFilter()), [], "the letters")
      try expectEqual(try await log.letter("01"), nil, "a letter")
      try expectEqual(try await log.purge(DeadLetterFilter()), 0, "the purged letters")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 0, folded: 0, dropped: 0), "the counts")
      try await log.append([])
      try expectEqual(try await log.markReplayed("01", as: "02", insteadOf: ""), false, "a mark on nothing")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 0, folded: 0, dropped: 0), "the counts")
    },
    Case("a letter comes back as it was, whatever its body", wholeLetters),
    Case("letters are listed oldest first; with a limit, the newest") { log in
      try await log.append([letter(3), letter(4)])
      try await log.append([letter(1), letter(2), letter(5)])
      try expectEqual(
        identifiers(try await log.list(DeadLetterFilter())), identifiers([1, 2, 3, 4, 5]), "the letters")
      for limit in [0, 2, 5, 99] {
        try expectEqual(
          identifiers(try await log.list(DeadLetterFilter(limit: limit))),
          identifiers(Array([1, 2, 3, 4, 5].suffix(limit))), "the letters with limit \(limit)")
      }
    },
    Case("filters choose by reason, target and time, together", filters),
    Case("appends at once from 32 tasks are all kept, each in its order", capacity: 10_000, concurrentAppends),
  ]

  static let countingCases: [Case] = [
    Case("the messages since a time are counted, folded ones too") { log in
      try await log.append([letter(1), letter(2, count: 10), letter(3)])
      let counts = try await [letter(1).at, letter(2).at, letter(3).at, letter(4).at].asyncCounts(log)
      try expectEqual(counts, [12, 11, 1, 0], "the counts")
    },
    Case("beyond the capacity the oldest are dropped and counted", capacity: 10) { log in
      for number in 0..<25 { try await log.append([letter(number)]) }
      try expectEqual(identifiers(try await log.list(DeadLetterFilter())), identifiers(Array(15..<25)), "the letters")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 10, folded: 0, dropped: 15), "the counts")
      try await log.append((25..<60).map { letter($0) })
      try expectEqual(identifiers(try await log.list(DeadLetterFilter())), identifiers(Array(50..<60)), "the letters")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 10, folded: 0, dropped: 50), "the counts")
    },
    Case("folded letters are counted, also when the one they stand behind is dropped", capacity: 2) { log in
      try await log.append([letter(1, count: 100), letter(2)])
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 2, folded: 99, dropped: 0), "the counts")
      try await log.append([letter(3, count: 5)])
      let counts = try await totals(of: log)
      try expectEqual(counts, DeadLetterCounts(kept: 2, folded: 4, dropped: 100), "the counts after a drop")
      try expectEqual(counts.kept + counts.folded + counts.dropped, 106, "all letters that ever came")
    },
    Case("a purge removes what matches, and says how many", capacity: 5) { log in
      try await log.append((1...5).map { letter($0, target: $0 == 2 ? "other" : "worker") })
      try expectEqual(try await log.purge(DeadLetterFilter(target: "worker", limit: 2)), 2, "the newest two")
      try expectEqual(identifiers(try await log.list(DeadLetterFilter())), identifiers([1, 2, 3]), "what is left")
      try expectEqual(try await log.purge(DeadLetterFilter(target: "other")), 1, "the other target")
      try expectEqual(try await log.purge(DeadLetterFilter(target: "other")), 0, "the other target again")
      try expectEqual(try await log.letter(letter(2).identifier), nil, "a purged letter")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 2, folded: 0, dropped: 0), "the counts")
      try await log.append([letter(6), letter(7), letter(8)])
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 5, folded: 0, dropped: 0), "room again")
      try expectEqual(try await log.purge(DeadLetterFilter()), 5, "everything")
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 0, folded: 0, dropped: 0), "an empty log")
    },
    Case("purges at once count no letter twice", capacity: 10_000) { log in
      try await log.append((0..<500).map { letter($0) })
      let purged = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await log.purge(DeadLetterFilter()) } }
        return try await group.reduce(0, +)
      }
      try expectEqual(purged, 500, "the purged letters")
    },
    Case("a letter that is appended again takes no room of its own", capacity: 3) { log in
      for _ in 0..<10 { try await log.append([letter(1), letter(2)]) }
      try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 2, folded: 0, dropped: 0), "the counts")
      try await log.append([letter(3)])
      try expectEqual(identifiers(try await log.list(DeadLetterFilter())), identifiers([1, 2, 3]), "the letters")
    },
  ]

  @Sendable private static func wholeLetters(_ log: any DeadLetterLog) async throws {
    let messages = [
      Message(), Message("text"), Message(json: ["a": .integer(1)]), Message(body: Array(0...255)),
      Message(body: [0xFF]), Message("\u{0}nul\u{0}"), Message("caf\u{E9} cafe\u{301} 😀\r\n"),
      Message(
        body: [1], contentType: .other("image/png"), type: "Picture",
        headers: [Message.Header("a", "1"), Message.Header("a", "2"), Message.Header("", "")]),
      Message(body: [UInt8](repeating: 7, count: 1 << 20)),
    ]
    let letters = messages.enumerated().map { number, message in
      let reasons = DeadLetter.Reason.allCases
      return letter(number, reason: reasons[number % reasons.count], message: message)
    }
    try await log.append(letters)
    for letter in letters {
      try expectEqual(try await log.letter(letter.identifier), letter, "letter \(letter.identifier)")
    }
    try expectEqual(try await log.list(DeadLetterFilter()), letters, "the list")
  }

  @Sendable private static func filters(_ log: any DeadLetterLog) async throws {
    try await log.append([
      letter(1, target: "worker-1", reason: .mailboxFull), letter(2, target: "worker-2", reason: .noSuchActor),
      letter(3, target: "counter", reason: .mailboxFull), letter(4, target: "worker-1", reason: .deadline),
      letter(5, target: "Worker-1", reason: .deadline),
    ])
    let since = letter(3).at
    let expectations: [(DeadLetterFilter, [Int])] = [
      (DeadLetterFilter(reasons: [.mailboxFull]), [1, 3]),
      (DeadLetterFilter(reasons: [.mailboxFull, .deadline]), [1, 3, 4, 5]),
      (DeadLetterFilter(reasons: [.refused]), []),
      (DeadLetterFilter(target: "worker-1"), [1, 4]),
      (DeadLetterFilter(target: "worker-*"), [1, 2, 4]),
      (DeadLetterFilter(target: "*-1"), [1, 4, 5]),
      (DeadLetterFilter(target: "%"), []),
      (DeadLetterFilter(since: since), [3, 4, 5]),
      (DeadLetterFilter(reasons: [.deadline], target: "worker*", since: since), [4]),
      (DeadLetterFilter(reasons: [.mailboxFull], limit: 1), [3]),
    ]
    for (filter, numbers) in expectations {
      try expectEqual(identifiers(try await log.list(filter)), identifiers(numbers), "the letters of \(filter)")
    }
  }

  @Sendable private static func concurrentAppends(_ log: any DeadLetterLog) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<32 {
        group.addTask {
          for step in 0..<25 { try await log.append([letter(writer * 1000 + step, target: "writer-\(writer)")]) }
        }
      }
      try await group.waitForAll()
    }
    try expectEqual(try await totals(of: log), DeadLetterCounts(kept: 800, folded: 0, dropped: 0), "the counts")
    for writer in [0, 17, 31] {
      let kept = try await log.list(DeadLetterFilter(target: "writer-\(writer)"))
      try expectEqual(identifiers(kept), identifiers((0..<25).map { writer * 1000 + $0 }), "writer \(writer)'s letters")
    }
  }
}

extension [CalendarTime] {
  /// What a log counts since each of them.
  fileprivate func asyncCounts(_ log: any DeadLetterLog) async throws -> [Int] {
    var counts: [Int] = []
    for time in self { counts.append(try await log.count(since: time)) }
    return counts
  }
}
