import GridConcurrency
import GridCore
import Testing

/// Waiting for a time and for each other, by timers that stand still.
@Suite(.timeLimit(.minutes(5))) struct WaitingTests {
  private let timers = StillTimers()

  @Test func aSleepEndsWithItsTime() async {
    async let hasPassed = timers.sleep(for: .seconds(3))
    await timers.somebodyWaits()
    timers.advance(by: .seconds(3))
    #expect(await hasPassed)
  }

  @Test func aCancelledSleepEndsAtOnceAndLeavesNothingBehind() async {
    let timers = timers
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await timers.sleep(for: .seconds(3)) }
      await timers.somebodyWaits()
      group.cancelAll()
      #expect(await group.next() == false)
    }
    #expect(timers.count == 0)
  }

  @Test func aLatchIsWaitedForNoLongerThanTheLimit() async {
    let latch = Latch()
    async let isOpen = latch.wait(atMost: .seconds(1), on: timers)
    await timers.somebodyWaits()
    timers.advance(by: .seconds(1))
    #expect(await isOpen == false)
  }

  @Test func anOpenedLatchTakesTheTimerBack() async {
    let latch = Latch()
    async let isOpen = latch.wait(atMost: .seconds(1), on: timers)
    await timers.somebodyWaits()
    latch.open()
    #expect(await isOpen)
    #expect(timers.count == 0)
    #expect(await latch.wait(atMost: .seconds(1), on: timers))
  }

  @Test func aSignalThatNobodyTookIsForTheNextWhoWaits() async {
    let signal = Signal<Int>()
    async let first = signal.wait(atMost: .seconds(1), on: timers)
    await timers.somebodyWaits()
    timers.advance(by: .seconds(1))
    #expect(await first == nil)
    signal.raise(1)
    signal.raise(2)
    #expect(await signal.wait() == 2)
  }

  @Test func whatTakesTooLongIsCancelled() async {
    async let result = timers.withLimit(.seconds(1)) { () async -> Bool in
      await Latch().wait()
      return true
    }
    await timers.somebodyWaits()
    timers.advance(by: .seconds(1))
    #expect(await result == nil)
  }

  @Test func ofAPromiseTheFirstValueCounts() async {
    let promise = Promise<Int>()
    #expect(promise.fulfil(1))
    #expect(!promise.fulfil(2))
    #expect(await promise.value() == 1)
    #expect(await withPromise { $0.fulfil("now") } == "now")
  }
}

@Suite(.timeLimit(.minutes(5))) struct BoundedQueueTests {
  @Test func aFullQueueRefuses() async {
    let queue = BoundedQueue<Int>(capacity: 2)
    #expect([1, 2, 3].map { queue.push($0) } == [true, true, false])
    queue.close()
    #expect([await queue.next(), await queue.next(), await queue.next()] == [1, 2, nil])
    #expect(!queue.push(4))
  }

  @Test(arguments: [
    (BoundedQueue<Int>.Overflow.dropOldest, [2, 3]), (BoundedQueue<Int>.Overflow.dropNewest, [1, 2]),
  ])
  func aFullQueueDropsAndCounts(_ overflow: BoundedQueue<Int>.Overflow, _ kept: [Int]) async {
    let queue = BoundedQueue<Int>(capacity: 2, overflow: overflow)
    #expect([1, 2, 3].map { queue.push($0) } == [true, true, true])
    #expect(queue.takeDropped() == 1)
    #expect(queue.takeDropped() == 0)
    #expect([await queue.next(), await queue.next()] == kept)
  }

  @Test func aCancelledConsumerTakesNothing() async {
    let queue = BoundedQueue<Int>(capacity: 2)
    await withTaskGroup(of: Int?.self) { group in
      group.addTask { await queue.next() }
      group.cancelAll()
      #expect(await group.next() == .some(nil))
    }
    #expect(queue.push(1))
    #expect(await queue.next() == 1)
  }
}
