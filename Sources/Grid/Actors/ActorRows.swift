internal import GridActors
internal import GridCore
internal import GridRequests

/// Which actors of this node a request means.
struct ActorChoice {
  private let request: ActorsRequest
  private let pattern: NamePattern?
  private let names: Set<String>
  /// Whether all are meant that have a name, or all.
  private let isOpen: Bool
  /// Whether a name tells already that its actor is meant.
  private let isByName: Bool

  init(_ request: ActorsRequest) {
    self.request = request
    pattern = request.pattern.map { NamePattern($0) }
    names = Set(request.names)
    isByName = names.isEmpty && request.kind == nil && request.minimumMailbox <= 0
    isOpen = isByName && pattern == nil
  }

  /// Calls `body` for each of them, in no order.
  func forEach(in cells: CellTable, _ body: (_ name: String, ActorCell) -> Void) {
    guard names.isEmpty else {
      // Those that are named are looked up, however many others there are.
      for name in names {
        if let cell = cells[name], wants(name, cell) { body(name, cell) }
      }
      return
    }
    cells.forEach(request.withAnonymous ? .all : .named) { cell in
      let name = cell.name
      if isOpen || wants(name, cell) { body(name, cell) }
    }
  }

  /// Calls `body` with the name of each, in no order; it returns at once.
  func forEachName(in cells: CellTable, _ body: (String) -> Void) {
    guard isByName else { return forEach(in: cells) { name, _ in body(name) } }
    cells.forEachName(request.withAnonymous ? .all : .named) { name in
      if pattern?.matches(name) ?? true { body(name) }
    }
  }

  private func wants(_ name: String, _ cell: ActorCell) -> Bool {
    (pattern?.matches(name) ?? true) && (request.kind ?? cell.kindName) == cell.kindName
      && (request.withAnonymous || cell.hasName)
      && (request.minimumMailbox <= 0 || cell.tally.mailbox >= request.minimumMailbox)
  }
}

/// The actors of this node that a list is to have: their names are looked up once, put in order once, when the first
/// page is wanted, and reported when their page comes.
///
/// Until then it holds names alone. An actor that has gone by then is left out; one that came later is not in it.
struct ActorRows: OwnRows {
  private struct Entry {
    /// The first bytes of the name, as a number of the same order: most comparisons need no more.
    let start: UInt64
    let name: String

    init(_ name: String) {
      var start: UInt64 = 0
      var room: UInt64 = 64
      for byte in name.utf8 {
        room -= 8
        start |= UInt64(byte) << room
        if room == 0 { break }
      }
      self.start = start
      self.name = name
    }

    static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
      left.start == right.start ? left.name < right.name : left.start < right.start
    }
  }

  let total: Int
  private let request: ActorsRequest
  private let cells: CellTable
  private let node: String
  private let clock: any GridClock
  /// Those that are left, in order once the first was wanted.
  private var entries: ArraySlice<Entry>
  private var isSorted: Bool

  init(_ request: ActorsRequest, _ page: PageRequest, cells: CellTable, node: String, clock: any GridClock) {
    self.request = request
    self.cells = cells
    self.node = node
    self.clock = clock
    var total = 0
    var all: [Entry] = []
    // Of a few, the rest need not be kept nor sorted.
    var some = page.limit.map { BoundedSelection<Entry>(limit: $0, by: Entry.isBefore) }
    let isWhole = page.after == nil
    ActorChoice(request).forEachName(in: cells) { name in
      total += 1
      guard isWhole || page.wants(ActorReport.key(name, on: node), ActorsRequest.order) else { return }
      if some == nil { all.append(Entry(name)) } else { some?.offer(Entry(name)) }
    }
    self.total = total
    isSorted = some != nil
    entries = some?.take()[...] ?? all[...]
  }

  mutating func fill(_ page: inout RowPageWriter, bytes: Int) -> Bool {
    if !isSorted {
      entries.sort(by: Entry.isBefore)
      isSorted = true
    }
    let now = clock.now()
    while page.size < bytes, let entry = entries.popFirst() {
      guard let cell = cells[entry.name] else { continue }
      if request.isShort {
        let placement = ActorPlacement(name: entry.name, kind: cell.kindName, node: node)
        page.append { placement.append(to: &$0) }
      } else {
        page.append { cell.report(at: now, withDetails: false).append(to: &$0) }
      }
    }
    return !entries.isEmpty
  }
}
