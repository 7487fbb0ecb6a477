/// Values by numbers that are given out in order and taken back in any: about nine bytes a value, where a dictionary
/// takes thirty. A value type; whoever holds it holds the lock.
package struct NumberedTable<Value: Sendable>: Sendable {
  private struct Chunk: Sendable {
    var values = [Value?](repeating: nil, count: Int(chunkSize))
    var count = 0

    /// - Returns: whether the place was empty.
    mutating func set(_ value: Value, at place: Int) -> Bool {
      let isNew = values[place] == nil
      values[place] = value
      if isNew { count += 1 }
      return isNew
    }
  }

  /// Numbers that lie beside each other. One that is left over alone keeps the room of all.
  package static var chunkSize: UInt64 { 64 }

  private var chunks: [UInt64: Chunk] = [:]
  package private(set) var count = 0

  package init() {}

  package subscript(number: UInt64) -> Value? {
    chunks[number / Self.chunkSize]?.values[Int(number % Self.chunkSize)]
  }

  package mutating func insert(_ value: Value, at number: UInt64) {
    let place = Int(number % Self.chunkSize)
    if chunks[number / Self.chunkSize, default: Chunk()].set(value, at: place) { count += 1 }
  }

  /// - Returns: what stood under the number.
  @discardableResult
  package mutating func remove(_ number: UInt64) -> Value? {
    let key = number / Self.chunkSize
    guard let index = chunks.index(forKey: key),
      let value = chunks.values[index].values[Int(number % Self.chunkSize)].take()
    else { return nil }
    count -= 1
    chunks.values[index].count -= 1
    if chunks.values[index].count == 0 { chunks.remove(at: index) }
    return value
  }

  /// In no order.
  package var all: [Value] { chunks.values.flatMap { $0.values.compactMap { $0 } } }
}
