internal import GridCore
internal import Testing

@testable internal import GridStoreSQLite

/// When a store looks at what.
@Suite("The times at which a store looks at its file")
struct ScheduleTests {
  private typealias Due = StoreSchedule.Due

  private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
  private static let everything = Due(looks: true, looksClosely: true, reads: true, sweeps: true)

  private func hearing() -> StoreSchedule {
    var schedule = StoreSchedule(at: start)
    schedule.hears(true, at: start)
    #expect(schedule.take(at: start) == Self.everything)
    return schedule
  }

  @Test("one that hears looks at everything at first, and then seldom")
  func netOnly() {
    var schedule = hearing()
    #expect(schedule.next == start + StoreSchedule.net)
    #expect(schedule.take(at: start + .milliseconds(1999)) == Due())
    #expect(schedule.take(at: start + .seconds(2)) == Self.everything)
  }

  @Test("one that hears nothing looks every 20 ms, and closely every 100 ms")
  func deaf() {
    var schedule = StoreSchedule(at: start)
    var (looks, sweeps) = (0, 0)
    for millisecond in 0..<1000 {
      let due = schedule.take(at: start + .milliseconds(millisecond))
      if due.looks && due.reads { looks += 1 }
      if due.sweeps { sweeps += 1 }
      #expect(due.sweeps == due.looksClosely)
    }
    #expect(looks == 50)
    #expect(sweeps == 10)
  }

  @Test(
    "what is heard says what is due",
    arguments: [
      (StoreNews.changed, Due(reads: true)), (StoreNews.moved, Due(looks: true, looksClosely: true, reads: true)),
      (StoreNews.overwritten, Due(looks: true, looksClosely: true)), (StoreNews.leaseClosed, Due(sweeps: true)),
      (StoreNews.leaseMade, Due()),
      (StoreNews(), Due()),
    ] as [(StoreNews, StoreSchedule.Due)])
  func news(_ news: StoreNews, _ due: StoreSchedule.Due) {
    var schedule = hearing()
    schedule.heard(news, at: start)
    #expect(schedule.take(at: start) == due)
    // Once.
    #expect(schedule.take(at: start) == Due())
  }

  @Test("a file that was closed is looked at again, since its lock is free a moment later")
  func rechecks() {
    var schedule = hearing()
    schedule.heard(.leaseClosed, at: start)
    var times: [Int] = []
    for millisecond in 0..<1000 where schedule.take(at: start + .milliseconds(millisecond)).sweeps {
      times.append(millisecond)
    }
    #expect(times == [0, 2, 10, 50, 250])
  }

  @Test("a lease that was made is looked at once its row is there; one that ends, when it ends")
  func expiry() {
    var schedule = hearing()
    schedule.heard(.leaseMade, at: start)
    #expect(schedule.next == start + StoreSchedule.leaseDelay)
    let made = start + StoreSchedule.leaseDelay
    #expect(schedule.take(at: made).sweeps)
    schedule.swept(nextExpiry: made + .milliseconds(700), at: made)
    #expect(schedule.next == made + .milliseconds(700))
    // One that could not be ended does not keep the thread busy.
    schedule.swept(nextExpiry: start, at: made)
    #expect(schedule.next == made + StoreSchedule.leastPause)
  }

  @Test("one that begins or ceases to hear looks at everything", arguments: [true, false])
  func change(isHearing: Bool) {
    var schedule = StoreSchedule(at: start)
    schedule.hears(!isHearing, at: start)
    _ = schedule.take(at: start)
    schedule.hears(isHearing, at: start + .milliseconds(5))
    let due = schedule.take(at: start + .milliseconds(5))
    #expect(due.reads && due.looks && due.sweeps)
  }
}
