internal import GridCore
internal import Testing

@testable internal import GridLink

/// The ring of open exchanges finds what a dictionary would.
@Suite struct ExchangeTableTests {
  private func exchange(_ target: String, until deadline: MonotonicTime = .distantFuture) -> OpenExchange {
    OpenExchange(kind: .channel(ChannelFeed(window: 1)), deadline: deadline, target: target)
  }

  @Test func `numbers grow from 1 and none is found twice`() {
    var table = ExchangeTable()
    #expect(table[0] == nil && table[1] == nil && table.take(1) == nil)
    #expect((1...3).map { table.open(exchange("\($0)")) } == [1, 2, 3])
    #expect(table[2]?.target == "2" && table.take(2)?.target == "2")
    #expect(table[2] == nil && table.take(2) == nil && table.take(0) == nil && table.take(.max) == nil)
    #expect(table.open(exchange("4")) == 4)
    #expect(table.count == 3)
  }

  @Test func `one that lasts is passed by`() {
    var table = ExchangeTable()
    let lasting = table.open(exchange("tail"))
    var numbers: Set<UInt64> = [lasting]
    for _ in 0..<1000 {
      let number = table.open(exchange("ask"))
      #expect(numbers.insert(number).inserted)
      #expect(table.take(number)?.target == "ask")
    }
    #expect(table[lasting]?.target == "tail" && table.count == 1)
  }

  @Test func `those that are meant are taken in order`() {
    var table = ExchangeTable()
    for second in 1...100 as ClosedRange<Int64> {
      _ = table.open(exchange("\(second)", until: MonotonicTime(nanoseconds: second % 10)))
    }
    #expect(table.numbers(after: 97) == [98, 99, 100] && table.numbers(after: 0).count == 100)
    let taken = table.takeAll { $0.deadline.nanoseconds == 3 }
    #expect(taken.map(\.target) == (0..<10).map { "\(10 * $0 + 3)" })
    #expect(table.numbers(after: 90) == [91, 92, 94, 95, 96, 97, 98, 99, 100] && table.count == 90)
    #expect(table.takeAll { _ in true }.count == 90 && table.count == 0)
  }

  @Test(arguments: 0..<50)
  func `it holds what a dictionary holds`(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var table = ExchangeTable()
    var model: [UInt64: String] = [:]
    for step in 0..<20_000 {
      // Waves of many and of few, so that the ring grows and goes round.
      if Int.random(in: 0..<100, using: &random) < (step / 2000 % 2 == 0 ? 60 : 40) || model.isEmpty {
        let number = table.open(exchange("\(step)"))
        #expect(model.updateValue("\(step)", forKey: number) == nil)
      } else if let number = Bool.random(using: &random) ? model.keys.min() : model.keys.randomElement(using: &random) {
        #expect(table.take(number)?.target == model.removeValue(forKey: number))
      }
    }
    #expect(table.count == model.count && Set(table.numbers(after: 0)) == Set(model.keys))
    let middle = table.last / 2
    #expect(Set(table.numbers(after: middle)) == Set(model.keys.filter { $0 > middle }))
    for (number, target) in model { #expect(table[number]?.target == target) }
  }
}
