internal import GridCore

/// The open exchanges of one side of a link, each at the place that its number has in a ring: found without hashing,
/// since most are answered in about the order in which they were begun.
///
/// Numbers grow from 1. One whose place is still taken, by an exchange that lasts, is left out.
struct ExchangeTable {
  private struct Place {
    /// 0 where there is none.
    var number: UInt64 = 0
    var exchange: OpenExchange?
  }

  /// As many as a power of two, at most half of them taken.
  private var places: [Place] = []
  /// The number that was given last.
  private(set) var last: UInt64 = 0
  private(set) var count = 0

  private static let leastPlaces = 8
  /// An empty table of more places gives its memory back.
  private static let mostIdlePlaces = 4096

  private func index(_ number: UInt64) -> Int { Int(truncatingIfNeeded: number) & (places.count &- 1) }

  subscript(number: UInt64) -> OpenExchange? {
    guard number != 0, !places.isEmpty else { return nil }
    let place = index(number)
    return places[place].number == number ? places[place].exchange : nil
  }

  /// Adds an exchange under a number of its own.
  mutating func open(_ exchange: OpenExchange) -> UInt64 {
    if count &* 2 >= places.count { grow() }
    repeat { last &+= 1 } while places[index(last)].number != 0 || last == 0
    places[index(last)] = Place(number: last, exchange: exchange)
    count &+= 1
    return last
  }

  /// Removes an exchange; nil when there is none of that number any more.
  mutating func take(_ number: UInt64) -> OpenExchange? {
    guard number != 0, !places.isEmpty else { return nil }
    let place = index(number)
    guard places[place].number == number else { return nil }
    let exchange = places[place].exchange.take()
    places[place].number = 0
    count &-= 1
    if count == 0, places.count > Self.mostIdlePlaces { places = [] }
    return exchange
  }

  /// Removes those for which `isTaken` holds.
  mutating func takeAll(where isTaken: (OpenExchange) -> Bool) -> [OpenExchange] {
    guard count > 0 else { return [] }
    let numbers = places.compactMap { place in
      place.exchange.map(isTaken) ?? false ? place.number : nil
    }
    return numbers.sorted().compactMap { take($0) }
  }

  /// Those that are open of the numbers above this one: number by number or, where most has been answered, place by
  /// place.
  func numbers(after number: UInt64) -> [UInt64] {
    guard count > 0, number < last else { return [] }
    if last - number <= places.count { return (number + 1...last).filter { places[index($0)].number == $0 } }
    return places.compactMap { $0.number > number ? $0.number : nil }
  }

  /// Two of different places have different ones among twice as many, too.
  private mutating func grow() {
    let before = places
    places = Array(repeating: Place(), count: max(Self.leastPlaces, before.count * 2))
    for place in before where place.number != 0 { places[index(place.number)] = place }
  }
}
