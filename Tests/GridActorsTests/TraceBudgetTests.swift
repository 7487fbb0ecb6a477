internal import GridActors
internal import GridCore
internal import Testing

@Suite("How much a trace may tell")
struct TraceBudgetTests {
  private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

  @Test("so many records altogether")
  func maximum() {
    var budget = TraceBudget(maximum: 2, end: .distantFuture)
    let admitted = [0, 1, 2, 3].map { budget.admits(at: at($0)) }
    #expect(admitted == [true, true, false, false])
    #expect(budget.isSpent(at: at(4)))
  }

  @Test("so many in each span of time, and none saved up")
  func rate() {
    var budget = TraceBudget(maximum: 100, perWindow: 2, window: .milliseconds(10), end: .distantFuture)
    let times: [Int64] = [0, 1, 2, 9, 10, 11, 19, 50, 51, 52]
    let admitted = times.map { budget.admits(at: at($0)) }
    #expect(admitted == [true, true, false, false, true, true, false, true, true, false])
    #expect(!budget.isSpent(at: at(52)))
  }

  @Test("nothing after its end, whatever is left")
  func end() {
    var budget = TraceBudget(maximum: 100, end: at(10))
    let admitted = [9, 10].map { budget.admits(at: at($0)) }
    #expect(admitted == [true, false])
    #expect(budget.isSpent(at: at(10)))
  }

  @Test(arguments: [0, -1, Int.min])
  func nothingForNothing(_ maximum: Int) {
    var budget = TraceBudget(maximum: maximum, end: .distantFuture)
    let admitted = budget.admits(at: at(0))
    #expect(!admitted)
  }
}
