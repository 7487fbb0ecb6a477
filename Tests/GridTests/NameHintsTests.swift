internal import GridTestKit
internal import Synchronization
internal import Testing

@testable internal import Grid

@Suite struct NameHintsTests {
  @Test func `looking for names takes one part in twenty of the time`() {
    var budget = HintBudget()
    let began = MonotonicTime(nanoseconds: 0)
    let end = began + .milliseconds(50)
    let first = budget.admits(at: began)
    let second = budget.admits(at: began)
    #expect(first && !second, "one at a time")
    budget.spent(.milliseconds(50), at: end)
    let later = [0, 999, 1000].map { budget.admits(at: end + .milliseconds($0)) }
    #expect(later == [false, false, true])
  }

  @Test func `a flood of messages to one name looks once, and every failure has the hint`() {
    let hints = NameHints(clock: ManualClock())
    let looks = Mutex(0)
    for _ in 0..<1000 {
      let hint = hints.hint(for: "coutner") {
        looks.withLock { $0 += 1 }
        return ["counter", "other"]
      }
      #expect(hint == "similar: counter")
    }
    #expect(looks.withLock { $0 } == 1)
  }
}
