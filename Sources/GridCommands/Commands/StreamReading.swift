internal import DequeModule
internal import GridClient
internal import GridCore
internal import GridRequests

/// How far a stream has been read, over all nodes that told it.
struct StreamReading {
  private let printer: StreamPrinter
  private let activity: IdleClock
  private var taken = 0
  private var hasHeader = false
  private var known = RecentKeys(capacity: 20_000)
  /// What came before the node had told what was there earlier, which is shown first.
  private var held: [JSONValue] = []
  private static let mostHeld = 10_000
  /// When the stream began and when the newest record was made, in milliseconds since 1970, by the clocks of nodes.
  private var (began, newest): (Int64?, Int64?)

  /// Clocks of nodes differ; what is asked for twice is known by its key.
  private static let overlap: Int64 = 1000

  init(printer: StreamPrinter, activity: IdleClock) {
    self.printer = printer
    self.activity = activity
  }

  /// The time from which another node is asked; what was there before the stream began is not shown by its going on.
  func resumptionTime(now: CalendarTime) -> Int64 {
    let began = began ?? now.millisecondsSince1970
    return newest.map { max(began, $0.subtractingClamped(Self.overlap)) } ?? began
  }

  /// Reads the stream of one node: true at its end condition, false when the node is gone.
  mutating func hasEnded<Request: StreamRequest>(
    at connection: NodeConnection, _ request: Request,
    _ earlier: (@Sendable (CommandSession) async throws -> [JSONValue])?
  ) async throws -> Bool {
    var iterator = connection.stream(request).makeAsyncIterator()
    let session = printer.session
    var hasSynced = false
    held = []
    while true {
      let item: JSONValue?
      do { item = try await iterator.next() } catch let error where ClusterClient.isLoss(error) { return false }
      guard let item else {
        try Task.checkCancellation()
        return false
      }
      activity.touch()
      if case .synced(let at) = StreamRemark(json: item) {
        session.cluster.serves()
        began = began ?? at.millisecondsSince1970
        // Tells people that they miss nothing from here on.
        try writeHeader()
        let before: [JSONValue]
        do {
          before = try await earlier?(session) ?? []
        } catch let error where ClusterClient.isLoss(error) {
          return false
        }
        defer { held = [] }
        for item in before + held where try await take(item) { return true }
        hasSynced = true
      } else if earlier != nil, !hasSynced, held.count < Self.mostHeld {
        held.append(item)
      } else if try await take(item) {
        return true
      }
      activity.touch()
    }
  }

  /// - Returns: whether it was the last one.
  private mutating func take(_ item: JSONValue) async throws -> Bool {
    switch StreamRemark(json: item) {
    case .missed(let count): try remark(item, "\(count) records were missed: this side reads too slowly")
    case .leftOut(let node, let count): try remark(item, "\(count) records on \(node) were left out")
    case .synced, nil:
      try writeHeader()
      guard isNew(item) else { return false }
      if let filter = printer.filter, !filter.holds(for: item, root: item) { return false }
      if let handler = printer.handler {
        try await handler(item)
      } else {
        try printer.session.renderer.record(item, printer.description)
      }
      taken += 1
    }
    return printer.options.count.map { taken >= $0 } ?? false
  }

  private mutating func isNew(_ item: JSONValue) -> Bool {
    guard let resumption = printer.resumption else { return true }
    guard let mark = resumption.mark(item) else { return true }
    newest = max(newest ?? mark.madeAt, mark.madeAt)
    return known.insert(mark.key)
  }

  private func remark(_ item: JSONValue, _ text: String) throws {
    printer.session.writer.warning(text)
    guard printer.session.renderer.format.isJSON, printer.handler == nil else { return }
    try printer.session.writer.output(Renderer.line(item))
  }

  private mutating func writeHeader() throws {
    if printer.handler == nil, !hasHeader { try printer.session.renderer.streamHeader(printer.description) }
    hasHeader = true
  }
}

/// The keys that came last. Pure.
struct RecentKeys {
  private let capacity: Int
  private var order: Deque<String> = []
  private var keys: Set<String> = []

  init(capacity: Int) { self.capacity = capacity }

  /// - Returns: false for one that is known.
  mutating func insert(_ key: String) -> Bool {
    guard keys.insert(key).inserted else { return false }
    order.append(key)
    if order.count > capacity, let oldest = order.popFirst() { keys.remove(oldest) }
    return true
  }
}
