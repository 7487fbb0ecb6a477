import GridConcurrency
import GridCore
import Synchronization
import Testing

/// Asking many at once, by timers that stand still.
@Suite(.timeLimit(.minutes(5))) struct BroadcastTests {
  private let timers = StillTimers()

  /// Counts how often each was asked, and how many at once.
  private final class Book: Sendable {
    private struct State {
      var asked: [String: Int] = [:]
      var underWay = 0
      var most = 0
    }

    private let state = Mutex(State())

    /// How often it was asked, this time with it.
    func began(_ address: String) -> Int {
      state.withLock { state in
        state.underWay += 1
        state.most = max(state.most, state.underWay)
        state.asked[address, default: 0] += 1
        return state.asked[address, default: 0]
      }
    }

    func ended() { state.withLock { $0.underWay -= 1 } }
    var asked: [String: Int] { state.withLock { $0.asked } }
    var most: Int { state.withLock { $0.most } }
  }

  private func options(_ change: (inout BroadcastOptions) -> Void = { _ in }) -> BroadcastOptions {
    var options = BroadcastOptions()
    change(&options)
    return options
  }

  @Test(
    arguments: [
      (.all, 3, 3), (.all, 1, 1), (.quorum, 1, 1), (.quorum, 2, 2), (.quorum, 3, 2), (.quorum, 4, 3), (.any, 5, 1),
      (.count(2), 5, 2), (.count(9), 5, 9), (.count(-1), 5, 0),
    ] as [(ReplyRequirement, Int, Int)])
  func soManyMustReply(_ requirement: ReplyRequirement, _ asked: Int, _ count: Int) {
    #expect(requirement.count(of: asked) == count)
  }

  @Test func everybodysReplyIsInItsPlaceWhateverTheirOrder() async {
    let names = (0..<20).map { "a\($0)" }
    var told: [String] = []
    let run = BroadcastRun(options { $0.parallel = .max }, timers: timers)
    let result = await run(names, told: { told.append($0.address) }) { (address: String) throws(GridError) in
      for _ in 0..<Int.random(in: 0..<20) { await Task.yield() }
      if address == "a7" { throw GridError(.handlerFailed, "no") }
      return Message("\(address)!")
    }
    #expect(result.members.map(\.address) == names && told.sorted() == names.sorted())
    #expect(result.replies.count == 19 && result.replies["a3"]?.text == "a3!")
    #expect(result.failures.mapValues(\.code) == ["a7": .handlerFailed])
    #expect(!result.isComplete && result.required == 20)
  }

  @Test func noMoreAreUnderWayThanWereToBe() async {
    let book = Book()
    let result = await BroadcastRun(options { $0.parallel = 3 }, timers: timers)(
      (0..<30).map { "a\($0)" }, told: { _ in }
    ) { (address: String) throws(GridError) in
      _ = book.began(address)
      for _ in 0..<5 { await Task.yield() }
      book.ended()
      return Message("")
    }
    #expect(result.isComplete && book.most <= 3 && book.asked.count == 30)
  }

  @Test func thoseThatFailedAreAskedAgainAndNobodyElse() async {
    let (book, timers) = (Book(), timers)
    let run = BroadcastRun(options { $0.retries = 2 }, timers: timers)
    async let outcome = run(["good", "late", "bad", "wrong"], told: { _ in }) { (address: String) throws(GridError) in
      let times = book.began(address)
      switch address {
      case "late" where times < 3: throw GridError(.unavailable, "not yet")
      case "bad": throw GridError(.handlerFailed, "never")
      case "wrong": throw GridError(.undecodable, "it is the message that is wrong")
      default: return Message("\(times)")
      }
    }
    for pause in [100, 200] {
      while timers.count < 2 { await Task.yield() }
      timers.advance(by: .milliseconds(pause))
    }
    let result = await outcome
    #expect(book.asked == ["good": 1, "late": 3, "bad": 3, "wrong": 1])
    #expect(result.replies.mapValues(\.text) == ["good": "1", "late": "3"])
    #expect(result.members.map(\.attempts) == [1, 3, 3, 1])
    #expect(result.members[1].elapsed == .milliseconds(300))
  }

  @Test func theFirstReplyEndsTheRaceAndNobodyIsAskedAfterwards() async {
    let book = Book()
    let timers = timers
    var options = options { $0.endsWithFirst = true }
    options.parallel = 3
    let result = await BroadcastRun(options, timers: timers)(
      ["broken", "slow", "fast", "spare", "unasked"], told: { _ in }
    ) { (address: String) throws(GridError) in
      _ = book.began(address)
      switch address {
      case "broken": throw GridError(.handlerFailed, "no")
      case "fast":
        while book.asked.count < 4 { await Task.yield() }
        return Message("42")
      default:
        await timers.sleep(for: .seconds(3600))
        throw GridError(.cancelled, "cancelled")
      }
    }
    #expect(book.asked.keys.sorted() == ["broken", "fast", "slow", "spare"])
    #expect(result.isComplete && result.required == 1)
    #expect(result.replies.mapValues(\.text) == ["fast": "42"])
    #expect(result.failures.keys.sorted() == ["broken"], "who has lost a race has not failed")
    #expect(result.members.map(\.attempts) == [1, 1, 1, 1, 0])
    #expect(timers.count == 0, "nobody waits any more")
  }

  @Test func whoCannotBeToldEndsIt() async throws {
    struct Gone: Error {}
    let timers = timers
    await #expect(throws: Gone.self) {
      _ = try await BroadcastRun(options(), timers: timers)(["a", "b"], told: { _ throws(Gone) in throw Gone() }) {
        (address: String) throws(GridError) in
        if address == "b" { await timers.sleep(for: .seconds(3600)) }
        return Message("")
      }
    }
    #expect(timers.count == 0)
  }

  @Test func addressesAreAskedOnce() throws {
    #expect(try BroadcastRun.distinct(["b", "a", "b", "echo~7@n1.42"]) == ["b", "a", "echo~7@n1.42"])
    #expect(throws: GridError(.usage, "")) { try BroadcastRun.distinct([]) }
    #expect(throws: GridError(.usage, "")) { try BroadcastRun.distinct(["a", "no name"]) }
  }
}
