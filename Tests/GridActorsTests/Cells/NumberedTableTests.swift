import GridCore
import Testing

@testable import GridActors

@Suite struct NumberedTableTests {
  @Test(arguments: 0..<20)
  func `it is a dictionary`(_ seed: Int) {
    var generator = SeededGenerator(state: UInt64(seed))
    var table = NumberedTable<Int>()
    var model: [UInt64: Int] = [:]
    var next: UInt64 = 1
    for step in 0..<2000 {
      if Bool.random(using: &generator) {
        table.insert(step, at: next)
        model[next] = step
        next += 1
      } else {
        let number = UInt64.random(in: 0...(next + 70), using: &generator)
        #expect(table.remove(number) == model.removeValue(forKey: number))
      }
    }
    #expect(table.count == model.count)
    #expect(table.all.sorted() == model.values.sorted())
    for number in 0...(next + 70) { #expect(table[number] == model[number]) }
    for number in model.keys { table.remove(number) }
    #expect(table.count == 0 && table.all.isEmpty)
  }

  @Test func `the largest number is one`() {
    var table = NumberedTable<String>()
    table.insert("a", at: .max)
    table.insert("b", at: .max)
    #expect(table[.max] == "b" && table.count == 1 && table[.max - 1] == nil)
  }
}
