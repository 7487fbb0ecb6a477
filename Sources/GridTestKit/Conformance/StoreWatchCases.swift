internal import GridConcurrency
internal import GridCore

extension CoordinationStoreConformance {
  static let watchCases: [Case] = [
    Case("a watch tells every change once and in order, of all clients", clients: 4, watchOrder),
    Case("a watch from an old revision tells what came after it, then what comes", watchFromThePast),
    Case("a watch tells nothing outside its prefix and nothing from before its revision", watchScope),
    Case("the changes of one transaction are delivered together", clients: 2, watchTogether),
    Case("a change says what the entry became") { trial in
      let before = try await trial.store.range(prefix: trial.root).revision
      let lease = try await trial.lease()
      try await trial.put("key", "1")
      try await trial.put("key", "2", lease: lease)
      let entry = try unwrap(try await trial.get("key"), "the entry")
      let gone = try await trial.delete("key")
      try await withWatch(trial.store, prefix: trial.root, after: before) { recorder in
        let changes = try await recorder.changes(3, within: trial.patience)
        try expectEqual(changes[1], .put(entry), "the second change")
        try expectEqual(changes[2], .delete(key: trial.root + "key", revision: gone.revision), "the delete")
      }
    },
    Case("a watch tells of deletes by a lease's end", clients: 2) { trial in
      let lease = try await trial.lease()
      for key in ["a", "b", "c"] { try await trial.put(key, "v", lease: lease) }
      let before = try await trial.store.range(prefix: trial.root).revision
      try await withWatch(trial.client(1), prefix: trial.root, after: before) { recorder in
        try await trial.store.revoke(lease)
        let changes = try await recorder.changes(3, within: trial.patience)
        try expectEqual(changes.map { $0.text(under: trial.root) }.sorted(), ["-a", "-b", "-c"], "the deletes")
        try expect(changes.allSatisfy { $0.revision > before }, "deletes must have revisions of their own")
      }
    },
    Case("a watcher that throws ends its watch with that error", watcherThrows),
    Case("a slow watcher holds up nobody else", clients: 2, slowWatcher),
    Case("a cancelled watch returns, also when it is cancelled before it began", cancelledWatch),
    Case("closing the store ends its watches", clients: 2) { trial in
      let before = try await trial.store.range(prefix: trial.root).revision
      try await withThrowingTaskGroup(of: Void.self) { group in
        let recorder = WatchRecorder()
        group.addTask { try await trial.store.watch(prefix: trial.root, after: before) { recorder.record($0) } }
        try await trial.put("key")
        _ = try await recorder.changes(1, within: trial.patience)
        await trial.store.close()
        try await trial.expectError(.unavailable, "a watch of a store that is closed") { try await group.next() }
      }
    },
  ]

  @Sendable private static func watchOrder(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    let recorders = [WatchRecorder(), WatchRecorder()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, recorder) in recorders.enumerated() {
        group.addTask {
          try await trial.client(number).watch(prefix: trial.root, after: before) { recorder.record($0) }
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { writers in
        for writer in 0..<trial.clients.count {
          writers.addTask {
            for step in 0..<50 {
              let key = trial.root + "\(writer)"
              let operation: StoreOperation =
                step % 5 == 4 ? .delete(key: key) : .put(key: key, value: Array("\(step)".utf8), lease: 0)
              _ = try await trial.client(writer).commit(StoreTransaction(then: [operation]))
            }
          }
        }
        try await writers.waitForAll()
      }
      let expected = 50 * trial.clients.count
      for recorder in recorders {
        let changes = try await recorder.changes(expected, within: trial.patience)
        try expect(
          zip(changes, changes.dropFirst()).allSatisfy { $0.revision < $1.revision }, "revisions must grow on a watch")
        for writer in 0..<trial.clients.count {
          let steps = changes.filter { $0.key == trial.root + "\(writer)" }.map { $0.text(under: trial.root) }
          let written = (0..<50).map { $0 % 5 == 4 ? "-\(writer)" : "+\(writer)=\($0)" }
          try expectEqual(steps, written, "the steps of writer \(writer)")
        }
      }
      try expectEqual(recorders[0].changes, recorders[1].changes, "what two watches were told")
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Sendable private static func watchFromThePast(_ trial: Trial) async throws {
    try await trial.put("a", "1")
    let second = try await trial.put("a", "2")
    try await trial.put("b", "3")
    try await trial.delete("a")
    try await withWatch(trial.store, prefix: trial.root, after: second.revision) { recorder in
      _ = try await recorder.changes(2, within: trial.patience)
      try await trial.put("c", "4")
      let changes = try await recorder.changes(3, within: trial.patience)
      try expectEqual(changes.map { $0.text(under: trial.root) }, ["+b=3", "-a", "+c=4"], "the changes")
    }
  }

  @Sendable private static func watchScope(_ trial: Trial) async throws {
    try await trial.put("in/old", "0")
    let before = try await trial.store.range(prefix: trial.root).revision
    try await withWatch(trial.store, prefix: trial.root + "in/", after: before) { recorder in
      for key in ["in", "in0", "other/in/", "in/1", "ij/", "in/2"] { try await trial.put(key, "v") }
      try await trial.delete("in/absent")
      try await trial.delete("in/1")
      let changes = try await recorder.changes(3, within: trial.patience)
      try expectEqual(changes.map { $0.text(under: trial.root) }, ["+in/1=v", "+in/2=v", "-in/1"], "the changes")
    }
  }

  @Sendable private static func watchTogether(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    try await withWatch(trial.client(1), prefix: trial.root, after: before) { recorder in
      for round in 0..<30 {
        _ = try await trial.store.commit(
          StoreTransaction(
            then: ["a", "b", "c"].map { .put(key: trial.root + $0, value: Array("\(round)".utf8), lease: 0) }))
      }
      _ = try await recorder.changes(90, within: trial.patience)
      var last: Int64 = before
      for case .changes(let changes, let revision) in recorder.events {
        let revisions = changes.map(\.revision)
        try expect(revisions.first ?? 0 > last, "a revision was delivered in two events")
        try expect(revisions == revisions.sorted() && revisions.allSatisfy { $0 <= revision }, "events out of order")
        try expect(Set(revisions).allSatisfy { one in revisions.count { $0 == one } == 3 }, "half of a transaction")
        last = revision
      }
    }
  }

  @Sendable private static func watcherThrows(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    try await trial.put("key")
    let refusal = ConformanceFailure("the watcher refuses")
    do {
      try await trial.store.watch(prefix: trial.root, after: before) { _ in throw refusal }
    } catch let error as ConformanceFailure {
      try expectEqual(error, refusal, "the error of the watch")
      return
    }
    throw ConformanceFailure("the watch should have thrown what its watcher threw")
  }

  @Sendable private static func slowWatcher(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await trial.store.watch(prefix: trial.root, after: before) { _ in
          // Until the watch is cancelled.
          await Latch().wait()
          throw CancellationError()
        }
      }
      try await withWatch(trial.store, prefix: trial.root, after: before) { recorder in
        for round in 0..<50 { try await trial.put("key", "\(round)") }
        _ = try await recorder.changes(50, within: trial.patience)
        try expectEqual(try await trial.get("key")?.text, "49", "the value")
      }
      group.cancelAll()
      // Cancelled while it pauses, the watcher itself throws, and its watch with it.
      do { try await group.waitForAll() } catch is CancellationError {}
    }
  }

  @Sendable private static func cancelledWatch(_ trial: Trial) async throws {
    let before = try await trial.store.range(prefix: trial.root).revision
    for isRunning in [false, true] {
      let recorder = WatchRecorder()
      let event = "event of \(isRunning)"
      try await withThrowingTaskGroup(of: Void.self) { group in
        if !isRunning { group.cancelAll() }
        group.addTask { try await trial.store.watch(prefix: trial.root, after: before) { recorder.record($0) } }
        if isRunning {
          try await trial.put("key", event)
          _ = try await recorder.changes(1, within: trial.patience)
        }
        group.cancelAll()
        try await group.waitForAll()
      }
    }
    try await trial.put("key")
  }
}
