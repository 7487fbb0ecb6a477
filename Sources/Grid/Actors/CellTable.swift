internal import GridActors
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What runs on this node, by address. In 16 parts with a lock each, so that threads seldom meet.
final class CellTable: Sendable {
  private struct State {
    var named: [String: ActorCell] = [:]
    var local = NumberedTable<ActorCell>()
    /// Whoever waits for one to be gone.
    var leaving: [ObjectIdentifier: [Latch]] = [:]

    func holds(_ cell: ActorCell) -> Bool {
      switch cell.identity {
      case .named(let name, _): named[name] === cell
      case .local(let number, _): local[number] === cell
      }
    }

    func cells(_ choice: Choice) -> [ActorCell] {
      switch choice {
      case .named: Array(named.values)
      case .local: local.all
      case .all: Array(named.values) + local.all
      }
    }
  }

  private final class Shard: Sendable {
    let state = Mutex(State())
  }

  /// Which actors are meant.
  enum Choice {
    /// Those that hang on the node's lease.
    case named
    /// Those without a name.
    case local
    case all
  }

  private struct Waiting {
    var latch: Latch
    var choice: Choice
  }

  private let shards: [Shard] = (0..<16).map { _ in Shard() }
  private let lastNumber = Atomic<UInt64>(0)
  /// Whoever waits for all of them to be gone; touched only while somebody does.
  private let emptied = Mutex<[Waiting]>([])

  private func shard(_ name: String) -> Shard {
    var mixed: UInt8 = 0
    for byte in name.utf8 { mixed = mixed &* 31 &+ byte }
    return shards[Int(mixed & 15)]
  }

  /// Numbers that share the room of a table lie in the same part.
  private func shard(_ number: UInt64) -> Shard {
    shards[Int(number / NumberedTable<ActorCell>.chunkSize & 15)]
  }

  private func shard(of cell: ActorCell) -> Shard {
    switch cell.identity {
    case .named(let name, _): shard(name)
    case .local(let number, _): shard(number)
    }
  }

  /// The actor of an address as it is typed. Names first: they are what nearly every message is for.
  subscript(address: String) -> ActorCell? {
    shard(address).state.withLock { $0.named[address] } ?? localCell(address)
  }

  private func localCell(_ text: String) -> ActorCell? {
    guard let address = ActorAddress(unchecked: text).local,
      let cell = shard(address.number).state.withLock({ $0.local[address.number] }), cell.isReached(by: address)
    else { return nil }
    return cell
  }

  /// The number of the next actor without a name.
  func nextNumber() -> UInt64 { lastNumber.wrappingAdd(1, ordering: .relaxed).newValue }

  /// - Returns: false when the name is in use; then nothing has changed.
  func insert(_ cell: ActorCell) -> Bool {
    shard(of: cell).state.withLock { state in
      switch cell.identity {
      case .named(let name, _):
        guard state.named[name] == nil else { return false }
        state.named[name] = cell
      case .local(let number, _): state.local.insert(cell, at: number)
      }
      return true
    }
  }

  func remove(_ cell: ActorCell) {
    let waiting = shard(of: cell).state.withLock { state -> [Latch] in
      if state.holds(cell) {
        switch cell.identity {
        case .named(let name, _): state.named[name] = nil
        case .local(let number, _): state.local.remove(number)
        }
      }
      return state.leaving.isEmpty ? [] : state.leaving.removeValue(forKey: ObjectIdentifier(cell)) ?? []
    }
    for latch in waiting { latch.open() }
    tellWhenEmpty()
  }

  func count(_ choice: Choice = .named) -> Int {
    shards.reduce(0) { sum, shard in
      sum
        + shard.state.withLock { state in
          (choice == .local ? 0 : state.named.count) + (choice == .named ? 0 : state.local.count)
        }
    }
  }

  /// In no order.
  func cells(_ choice: Choice = .named) -> [ActorCell] {
    shards.flatMap { shard in shard.state.withLock { $0.cells(choice) } }
  }

  /// Calls `body` for every one that is there, in no order, and holds no lock meanwhile: a part at a time, so that a
  /// million of them are no list of a million.
  func forEach(_ choice: Choice = .named, _ body: (ActorCell) -> Void) {
    for shard in shards {
      let cells = shard.state.withLock { $0.cells(choice) }
      for cell in cells { body(cell) }
    }
  }

  /// Calls `body` for the name of every one that is there, in no order, and touches no cell that has one: they lie all
  /// over the memory. The lock of a part is held meanwhile, so `body` returns at once.
  func forEachName(_ choice: Choice = .named, _ body: (String) -> Void) {
    for shard in shards {
      let local = shard.state.withLock { state -> [ActorCell] in
        if choice != .local { for name in state.named.keys { body(name) } }
        return choice == .named ? [] : state.local.all
      }
      for cell in local { body(cell.name) }
    }
  }

  // MARK: Waiting

  /// Opens when the cell is in the table no more.
  func gone(_ cell: ActorCell) -> Latch {
    let latch = Latch()
    let isThere = shard(of: cell).state.withLock { state in
      guard state.holds(cell) else { return false }
      state.leaving[ObjectIdentifier(cell), default: []].append(latch)
      return true
    }
    if !isThere { latch.open() }
    return latch
  }

  /// Opens when there is none.
  func empty(_ choice: Choice) -> Latch {
    let latch = Latch()
    emptied.withLock { $0.append(Waiting(latch: latch, choice: choice)) }
    tellWhenEmpty()
    return latch
  }

  private func tellWhenEmpty() {
    let choices = emptied.withLock { $0.map(\.choice) }
    for choice in choices where isEmpty(choice) {
      let waiting = emptied.withLock { waiting in
        defer { waiting.removeAll { $0.choice == choice } }
        return waiting.filter { $0.choice == choice }
      }
      for one in waiting { one.latch.open() }
    }
  }

  /// Looks no further than the first that is there: asked for each of a million that go.
  private func isEmpty(_ choice: Choice) -> Bool {
    shards.allSatisfy { shard in
      shard.state.withLock { state in
        (choice == .local || state.named.isEmpty) && (choice == .named || state.local.count == 0)
      }
    }
  }
}
