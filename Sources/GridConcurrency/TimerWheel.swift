package import GridCore

/// What is due at which time, as a value: eight wheels of 64 slots, each slot of a wheel as long as a whole turn of the
/// one below (Varghese and Lauck, “Hashed and hierarchical timing wheels”, scheme 7).
///
/// Adding and taking back cost the same however many there are. Times are exact: a slot only says where to look.
///
/// ```
/// wheel 0   |·|·|·|·| … 64 slots of one tick          what is due soon
/// wheel 1   |·|·|·|·| … 64 slots of 64 ticks          moves down when its slot has come
/// wheel 2   |·|·|·|·| … 64 slots of 4 096 ticks       …
/// ```
package struct TimerWheel<Element> {
  private struct Entry {
    var element: Element?
    var time: Int64
    /// Of two with the same time the one that was added first comes first; and no token has that of another.
    var order: UInt64
    /// The slot it is in; none while the place is free.
    var slot: Int32 = -1
    var next: Int32 = -1
    var previous: Int32 = -1
  }

  private static var levels: Int { 8 }

  private let shift: Int
  private var entries: [Entry] = []
  /// The first free place; further ones follow by `next`.
  private var free: Int32 = -1
  /// The first entry of each slot; empty until there is one.
  private var heads: [Int32] = []
  /// A bit for each slot that holds something.
  private var occupied = [UInt64](repeating: 0, count: Self.levels)
  /// The tick that has been reached. What is in a wheel above the first is in a slot after that of this tick.
  private var reached: Int64 = 0
  private var nextOrder: UInt64 = 0
  package private(set) var count = 0

  /// - Parameter shift: a tick is two to the power of it nanoseconds; about a millisecond when not said.
  package init(shift: Int = 20) { self.shift = min(62, max(16, shift)) }

  package var isEmpty: Bool { count == 0 }

  // MARK: Changes

  @discardableResult
  package mutating func insert(_ element: Element, at time: MonotonicTime) -> TimerToken {
    let place = takePlace()
    nextOrder += 1
    entries[Int(place)] = Entry(element: element, time: max(0, time.nanoseconds), order: nextOrder)
    count += 1
    link(place)
    return TimerToken(number: nextOrder << 32 | UInt64(UInt32(bitPattern: place)))
  }

  /// Takes an element out before its time; nil when it is not there any more.
  @discardableResult
  package mutating func remove(_ token: TimerToken) -> Element? {
    let place = Int(token.number & 0xFFFF_FFFF)
    guard place < entries.count, entries[place].slot >= 0,
      entries[place].order & 0xFFFF_FFFF == token.number >> 32
    else { return nil }
    unlink(Int32(place))
    return release(Int32(place))
  }

  /// Takes out what is due at `now`, in the order of its times.
  package mutating func advance(to now: MonotonicTime) -> [Element] {
    let target = max(reached, now.nanoseconds >> shift)
    var due: [(time: Int64, order: UInt64, place: Int32)] = []
    while let first = firstSlot, first.tick <= target {
      reached = max(reached, first.tick)
      let level = first.slot >> 6
      var place = heads[first.slot]
      while place >= 0 {
        let entry = entries[Int(place)]
        if entry.time <= now.nanoseconds {
          unlink(place)
          due.append((entry.time, entry.order, place))
        } else if level > 0 {
          unlink(place)
          link(place)
        }
        place = entry.next
      }
      // What is left of the tick that runs is not due yet.
      if level == 0, first.tick == target { break }
    }
    reached = target
    if due.count > 1 { due.sort { ($0.time, $0.order) < ($1.time, $1.order) } }
    return due.compactMap { release($0.place) }
  }

  /// Takes out whatever meets a condition, for a price that grows with the count.
  package mutating func removeAll(where isUnwanted: (Element) -> Bool) {
    for place in entries.indices where place < entries.count && entries[place].slot >= 0 {
      guard let element = entries[place].element, isUnwanted(element) else { continue }
      unlink(Int32(place))
      _ = release(Int32(place))
    }
  }

  /// Takes out everything, in the order of its times.
  package mutating func removeAll() -> [Element] {
    let all = entries.filter { $0.slot >= 0 }.sorted { ($0.time, $0.order) < ($1.time, $1.order) }
    let order = nextOrder
    self = TimerWheel(shift: shift)
    nextOrder = order
    return all.compactMap(\.element)
  }

  /// The time of what is due first; nil when there is nothing.
  package var next: MonotonicTime? {
    guard let first = firstSlot else { return nil }
    var place = heads[first.slot]
    var earliest = Int64.max
    while place >= 0 {
      earliest = min(earliest, entries[Int(place)].time)
      place = entries[Int(place)].next
    }
    return MonotonicTime(nanoseconds: earliest)
  }

  // MARK: Slots

  /// The slot whose time comes first, and that tick: what is in a lower wheel is due before what is in a higher one.
  private var firstSlot: (slot: Int, tick: Int64)? {
    for level in 0..<Self.levels where occupied[level] != 0 {
      let index = occupied[level].trailingZeroBitCount
      let bits = 6 * level
      let turn = (reached >> (bits + 6)) << (bits + 6)
      return (level << 6 | index, max(reached, turn | Int64(index) << bits))
    }
    return nil
  }

  private mutating func link(_ place: Int32) {
    let tick = max(reached, entries[Int(place)].time >> shift)
    let difference = tick ^ reached
    let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / 6
    let slot = level << 6 | Int(tick >> (6 * level) & 63)
    if heads.isEmpty { heads = [Int32](repeating: -1, count: Self.levels * 64) }
    entries[Int(place)].slot = Int32(slot)
    entries[Int(place)].previous = -1
    entries[Int(place)].next = heads[slot]
    if heads[slot] >= 0 { entries[Int(heads[slot])].previous = place }
    heads[slot] = place
    occupied[level] |= 1 << UInt64(slot & 63)
  }

  private mutating func unlink(_ place: Int32) {
    let entry = entries[Int(place)]
    let slot = Int(entry.slot)
    if entry.previous >= 0 { entries[Int(entry.previous)].next = entry.next } else { heads[slot] = entry.next }
    if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
    if heads[slot] < 0 { occupied[slot >> 6] &= ~(1 << UInt64(slot & 63)) }
  }

  // MARK: Places

  private mutating func takePlace() -> Int32 {
    guard free >= 0 else {
      entries.append(Entry(element: nil, time: 0, order: 0))
      return Int32(truncatingIfNeeded: entries.count - 1)
    }
    defer { free = entries[Int(free)].next }
    return free
  }

  private mutating func release(_ place: Int32) -> Element? {
    let entry = entries[Int(place)]
    entries[Int(place)] = Entry(element: nil, time: 0, order: 0, next: free)
    free = place
    count -= 1
    if count == 0 {
      entries.removeAll(keepingCapacity: entries.count <= 4096)
      free = -1
    }
    return entry.element
  }
}
