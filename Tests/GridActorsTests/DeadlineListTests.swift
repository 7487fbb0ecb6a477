internal import GridConcurrency
internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import GridActors

/// Asks that are not answered, on a clock that a test moves.
@Suite("Deadlines of asks", .timeLimit(.minutes(5)))
struct DeadlineListTests {
  private let clock = ManualClock()

  @Test("an ask ends at its deadline, and nobody looks at it in between")
  func deadline() async {
    let (clock, deadlines) = (clock, DeadlineList(timers: clock))
    let end = clock.now() + .seconds(5)
    async let outcome = PendingAsk.outcome(timeout: .seconds(5), deadlines: deadlines) { _, _ in }
    while clock.next == nil { await Task.yield() }
    clock.advance(by: .milliseconds(20))
    #expect(clock.next == end)
    clock.advance(by: .seconds(5))
    #expect(await outcome == .failure(GridError(.deadline, "")))
    #expect(clock.next == nil)
  }

  @Test("what was answered is forgotten")
  func answered() async {
    let (clock, deadlines) = (clock, DeadlineList(timers: clock))
    let asks = (0..<100).map { _ in PendingAsk() }
    for ask in asks { deadlines.add(ask, deadline: clock.now() + .seconds(5)) }
    for ask in asks { ask.resolve(0, .accepted) }
    clock.advance(by: .milliseconds(20))
    #expect(clock.next == nil)
  }

  @Test("a closed list fails what waits and whatever comes")
  func closed() async {
    let deadlines = DeadlineList(timers: clock)
    let (waiting, late) = (PendingAsk(), PendingAsk())
    deadlines.add(waiting, deadline: clock.now() + .seconds(5))
    deadlines.close()
    deadlines.add(late, deadline: clock.now() + .seconds(5))
    for ask in [waiting, late] { #expect(ask.takeResolved() == .failure(GridError(.unavailable, ""))) }
    #expect(clock.next == nil)
  }
}
