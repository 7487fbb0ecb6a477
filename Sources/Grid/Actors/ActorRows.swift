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

  init(_ request: ActorsRequest) {
    self.request = request
    pattern = request.pattern.map { NamePattern($0) }
    names = Set(request.names)
    isOpen = pattern == nil && names.isEmpty && request.kind == nil && request.minimumMailbox <= 0
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

  private func wants(_ name: String, _ cell: ActorCell) -> Bool {
    (pattern?.matches(name) ?? true) && (request.kind ?? cell.kindName) == cell.kindName
      && (request.withAnonymous || cell.hasName)
      && (request.minimumMailbox <= 0 || cell.tally.mailbox >= request.minimumMailbox)
  }
}

/// The actors of this node that a list is to have: looked up once, put in order once, when the first page is wanted,
/// and reported when their page comes.
///
/// Of each it holds the name and a reference until then. One that has gone by then is left out; one that came later is
/// not in it.
struct ActorRows: OwnRows {
  private struct Entry {
    /// The first bytes of the name, as a number of the same order: most comparisons need no more.
    let start: UInt64
    let name: String
    let cell: ActorCell

    init(name: String, cell: ActorCell) {
      var start: UInt64 = 0
      var room = 8
      for byte in name.utf8.prefix(8) {
        start = start << 8 | UInt64(byte)
        room -= 1
      }
      self.start = room == 8 ? 0 : start << UInt64(room * 8)
      self.name = name
      self.cell = cell
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
  private var selection: BoundedSelection<Entry>
  /// In order; nil until somebody wants the first.
  private var entries: ArraySlice<Entry>?

  init(_ request: ActorsRequest, _ page: PageRequest, cells: CellTable, node: String, clock: any GridClock) {
    self.request = request
    self.cells = cells
    self.node = node
    self.clock = clock
    var total = 0
    var selection = BoundedSelection<Entry>(limit: page.mostItems, by: Entry.isBefore)
    let isWhole = page.after == nil
    ActorChoice(request).forEach(in: cells) { name, cell in
      total += 1
      if isWhole || page.wants(ActorReport.key(name, on: node), ActorsRequest.order) {
        selection.offer(Entry(name: name, cell: cell))
      }
    }
    self.total = total
    self.selection = selection
  }

  mutating func fill(_ page: inout RowPageWriter, bytes: Int) -> Bool {
    let now = clock.now()
    var rest = entries ?? selection.take()[...]
    while page.size < bytes, let entry = rest.popFirst() {
      guard cells.holds(entry.cell) else { continue }
      if request.isShort {
        let placement = ActorPlacement(name: entry.name, kind: entry.cell.kindName, node: node)
        page.append { placement.append(to: &$0) }
      } else {
        page.append { entry.cell.report(at: now, withDetails: false).append(to: &$0) }
      }
    }
    entries = rest
    return !rest.isEmpty
  }
}
