internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridCluster

/// What a mirror makes of pages and changes.
@Suite("The picture of a part of the store")
struct MirrorStateTests {
  private typealias State = MirrorState<Int>
  private typealias Change = State.Change

  private func held(_ value: Int, _ modified: Int64) -> State.Held { State.Held(value: value, modified: modified) }

  private func read(_ state: inout State, _ entries: [String: (Int, Int64)], at revision: Int64) -> [String] {
    state.beginReading()
    state.take(page: entries.map { ($0.key, held($0.value.0, $0.value.1)) }, revision: revision)
    return state.endReading().map(text)
  }

  private func text(_ news: State.News) -> String {
    "\(news.name) \(news.before.map(String.init) ?? "-")>\(news.value.map(String.init) ?? "-")@\(news.revision)"
  }

  @Test("a reading tells how it differs from what was known")
  func readings() {
    var state = State()
    #expect(read(&state, ["a": (1, 5), "b": (2, 6)], at: 6) == ["a ->1@5", "b ->2@6"])
    #expect(read(&state, ["b": (2, 6), "c": (3, 8)], at: 9) == ["a 1>-@9", "c ->3@8"])
    #expect(read(&state, ["b": (4, 10), "c": (3, 8)], at: 10) == ["b 2>4@10"])
    #expect(read(&state, ["b": (4, 10), "c": (3, 8)], at: 11) == [])
    #expect(state.revision == 11)
  }

  @Test("while it is read the former picture stands; a reading that failed leaves it")
  func unfinished() {
    var state = State()
    _ = read(&state, ["a": (1, 5)], at: 5)
    state.beginReading()
    state.take(page: [("b", held(2, 6))], revision: 7)
    #expect(state.entries["a"]?.value == 1 && state.entries["b"] == nil)
    #expect(read(&state, ["c": (3, 8)], at: 9) == ["a 1>-@9", "c ->3@8"])
  }

  @Test("changes count where they are newer than what is known")
  func changes() {
    let table: [(Change, [String])] = [
      (.put("a", held(2, 6)), ["a 1>2@6"]), (.put("a", held(2, 5)), []), (.put("b", held(2, 6)), ["b ->2@6"]),
      (.delete("a", revision: 6), ["a 1>-@6"]), (.delete("a", revision: 4), []), (.delete("b", revision: 6), []),
      (.dropped("a", revision: 6), ["a 1>-@6"]), (.dropped("b", revision: 6), []),
    ]
    for (change, news) in table {
      var state = State()
      _ = read(&state, ["a": (1, 5)], at: 5)
      #expect(state.take([change], upTo: 7).map(text) == news, "\(change)")
      #expect(state.revision == 7)
    }
  }

  @Test("what is told again is no news, also of what is gone")
  func repetitions() {
    var state = State()
    _ = read(&state, [:], at: 5)
    let told: [Change] = [.put("a", held(1, 6)), .delete("a", revision: 7)]
    #expect(state.take(told, upTo: 7).map(text) == ["a ->1@6", "a 1>-@7"])
    #expect(state.take(told, upTo: 7).isEmpty)
  }

  /// A store that is written to while it is read page by page, and whose watch is told late, and again: in the end the
  /// picture is the store's, whatever came between.
  @Test(
    "pages of different revisions, changes told late and gaps: the picture comes to be the store's",
    arguments: 0..<200)
  func simulation(seed: UInt64) {
    var dice = SeededDice(seed: seed)
    var model: [String: State.Held] = [:]
    var log: [(revision: Int64, change: Change)] = []
    var revision: Int64 = 1
    func write() {
      revision += 1
      let name = "k\(dice.roll(8))"
      if dice.roll(3) == 0 {
        if model.removeValue(forKey: name) == nil {
          revision -= 1
        } else {
          log.append((revision, .delete(name, revision: revision)))
        }
      } else {
        let held = held(dice.roll(1000), revision)
        model[name] = held
        log.append((revision, .put(name, held)))
      }
    }
    var state = State()
    var picture: [String: Int] = [:]
    func note(_ news: [State.News]) {
      for news in news {
        #expect(picture[news.name] == news.before, "seed \(seed)")
        picture[news.name] = news.value
      }
    }
    func reading() {
      state.beginReading()
      var after = ""
      while true {
        let page = model.filter { $0.key > after }.sorted { $0.key < $1.key }.prefix(1 + dice.roll(3))
        state.take(page: page.map { ($0.key, $0.value) }, revision: revision)
        guard let last = page.last else { break }
        after = last.key
        for _ in 0..<dice.roll(4) { write() }
      }
      note(state.endReading())
    }
    for _ in 0..<10 { write() }
    reading()
    for _ in 0..<60 {
      for _ in 0..<dice.roll(5) { write() }
      switch dice.roll(6) {
      case 0: reading()
      case 1, 2, 3:
        // From a little before what was told: etcd repeats itself.
        let from = state.revision - Int64(dice.roll(3))
        let upTo = state.revision + Int64(dice.roll(6))
        let told = log.filter { $0.revision > from && $0.revision <= upTo }
        note(state.take(told.map(\.change), upTo: told.last?.revision ?? state.revision))
      default: break
      }
    }
    let rest = log.filter { $0.revision > state.revision }
    note(state.take(rest.map(\.change), upTo: revision))
    #expect(picture == model.mapValues(\.value), "seed \(seed)")
    #expect(state.entries.mapValues(\.modified) == model.mapValues(\.modified), "seed \(seed)")
  }
}

extension SeededDice {
  mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &self) }
}
