import GridConcurrency
import GridCore
import Testing

@Suite struct TimerWheelTests {
  private func at(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

  @Test func nothingIsDueBeforeItsTime() {
    var wheel = TimerWheel<String>()
    wheel.insert("a", at: at(5_000_001))
    #expect(wheel.next == at(5_000_001))
    #expect(wheel.advance(to: at(5_000_000)) == [])
    #expect(wheel.advance(to: at(5_000_001)) == ["a"])
    #expect(wheel.next == nil)
    #expect(wheel.isEmpty)
  }

  @Test func thoseOfOneTimeComeInTheOrderInWhichTheyWereAdded() {
    var wheel = TimerWheel<Int>()
    for number in 0..<5 { wheel.insert(number, at: at(7)) }
    wheel.insert(-1, at: at(6))
    #expect(wheel.advance(to: at(100)) == [-1, 0, 1, 2, 3, 4])
  }

  @Test func whatIsLateAlreadyIsDueAtOnce() {
    var wheel = TimerWheel<String>()
    #expect(wheel.advance(to: at(1 << 40)) == [])
    wheel.insert("late", at: at(-5))
    wheel.insert("now", at: at(1 << 40))
    #expect(wheel.advance(to: at(1 << 40)) == ["late", "now"])
  }

  @Test func whatWasTakenOutIsNotDueAndItsTokenTakesNothingElse() {
    var wheel = TimerWheel<String>()
    let token = wheel.insert("a", at: at(1_000_000_000))
    #expect(wheel.remove(token) == "a")
    #expect(wheel.remove(token) == nil)
    wheel.insert("b", at: at(1_000_000_000))
    #expect(wheel.remove(token) == nil)
    #expect(wheel.advance(to: .distantFuture) == ["b"])
  }

  @Test func theDistantFutureIsNeverReached() {
    var wheel = TimerWheel<String>()
    wheel.insert("never", at: .distantFuture)
    #expect(wheel.advance(to: at(.max - 1)) == [])
    #expect(wheel.next == .distantFuture)
    #expect(wheel.removeAll() == ["never"])
    #expect(wheel.isEmpty)
  }

  /// Against a plain list, with times from nanoseconds to centuries.
  @Test(arguments: 1...40) func agreesWithAList(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    var wheel = TimerWheel<Int>(shift: [16, 20, 24].randomElement(using: &generator) ?? 20)
    var list: [(time: Int64, number: Int, token: TimerToken)] = []
    var now = Int64.random(in: 0...(1 << 50), using: &generator)
    _ = wheel.advance(to: at(now))
    for number in 0..<2000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<6:
        let time = now + Int64.random(in: 0...(1 << Int64.random(in: 0...55, using: &generator)), using: &generator)
        list.append((time, number, wheel.insert(number, at: at(time))))
      case 6 where !list.isEmpty:
        let victim = list.remove(at: Int.random(in: 0..<list.count, using: &generator))
        #expect(wheel.remove(victim.token) == victim.number)
      default:
        now += Int64.random(in: 0...(1 << Int64.random(in: 0...50, using: &generator)), using: &generator)
        let due = list.filter { $0.time <= now }.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        list.removeAll { $0.time <= now }
        #expect(wheel.advance(to: at(now)) == due.map(\.number))
      }
      #expect(wheel.count == list.count)
      #expect(wheel.next?.nanoseconds == list.map(\.time).min())
    }
  }
}
