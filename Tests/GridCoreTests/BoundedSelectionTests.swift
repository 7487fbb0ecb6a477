internal import GridCore
internal import Testing

/// The first of many, without sorting all.
@Suite struct BoundedSelectionTests {
  @Test(arguments: 0..<60)
  func `they are those that sorting all would have first`(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let numbers = (0..<Int.random(in: 0...400, using: &random)).map { _ in Int.random(in: 0...200, using: &random) }
    for limit in [0, 1, 3, 50, 399, 400, 5000, Int.max] {
      var selection = BoundedSelection<Int>(limit: limit, by: <)
      for number in numbers { selection.offer(number) }
      #expect(selection.take() == Array(numbers.sorted().prefix(limit)), "seed \(seed), limit \(limit)")
      #expect(selection.take().isEmpty)
    }
  }

  @Test func `a limit below zero is none`() {
    var selection = BoundedSelection<Int>(limit: -3, by: <)
    selection.offer(1)
    #expect(selection.take().isEmpty)
  }
}
