internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSystem
internal import Synchronization

/// `gridctl top` on a terminal, until somebody ends it.
///
/// Whoever asks the cluster never holds up the keys: one task asks, one reads keys, one draws. A node that is gone is
/// replaced by another one, and the display says so.
struct LiveTop {
  let session: CommandSession
  let actors: ActorsRequest
  let window: Duration
  let pause: Duration
  let limit: Int

  /// What the nodes are asked for, as somebody looks at it now.
  private final class Wish: Sendable {
    let choice: Mutex<(order: ActorOrder, filter: String)>

    init(_ order: ActorOrder) { choice = Mutex((order, "")) }
  }

  private enum Input: Sendable {
    case look(ActorTop, peers: [PeerReport], MonotonicTime)
    case key(TerminalKey)
    case inspected(String, text: String)
    /// Something to tell; nil when it is over.
    case notice(String?)
  }

  func run(_ order: ActorOrder) async throws -> ExitStatus {
    // Before the terminal is changed: whatever ends the command puts it back.
    let signals = try TerminationSignals.take()
    defer { signals.giveBack() }
    let terminal = try RawTerminal(writer: session.writer)
    defer { terminal.restore() }
    let (inputs, input) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .bufferingOldest(64))
    let (inspections, inspect) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    let (top, wish) = (self, Wish(order))
    return try await withThrowingTaskGroup(of: ExitStatus.self) { group in
      group.addTask {
        for await key in RawTerminal.keys() { input.yield(.key(key)) }
        return .inputOutput
      }
      group.addTask {
        await signals.next().map { $0 == 2 ? .interrupted : .terminated } ?? .ok
      }
      group.addTask { try await top.look(wish, input) }
      group.addTask {
        for await name in inspections {
          let text = await InspectPage.text(name, top.session, now: top.session.cluster.timers.date())
          input.yield(.inspected(name, text: text))
        }
        return .ok
      }
      group.addTask { try await top.show(inputs, wish, order, terminal, inspect) }
      defer { group.cancelAll() }
      return try await group.next() ?? .ok
    }
  }

  /// Asks the cluster again and again.
  private func look(_ wish: Wish, _ input: AsyncStream<Input>.Continuation) async throws -> ExitStatus {
    let timers = session.cluster.timers
    while true {
      let connection = session.connection
      await session.cluster.learn(timeout: session.timeout)
      do {
        // The first look is shown at once; those after it take as long as there are between two.
        var watched = Duration.zero
        while true {
          let (order, filter) = wish.choice.withLock { $0 }
          let request = ActorTopRequest(actors, by: order, limit: limit, window: watched, filter: filter)
          let top = try await session.request(request, work: watched)
          watched = pause
          let peers = try await session.items(PeersRequest())
          session.cluster.serves()
          input.yield(.notice(Self.missing(top)))
          input.yield(.look(top, peers: try peers.items(), timers.now()))
          try Task.checkCancellation()
        }
      } catch let error where ClusterClient.isLoss(error) {
        try await session.goOn(after: connection) { input.yield(.notice($0)) }
      }
    }
  }

  private static func missing(_ list: ActorTop) -> String? {
    let names = list.missing.map(\.node)
    return names.isEmpty ? nil : "not answering: \(names.joined(separator: ", "))"
  }

  private func show(
    _ inputs: AsyncStream<Input>, _ wish: Wish, _ order: ActorOrder, _ terminal: RawTerminal,
    _ inspect: AsyncStream<String>.Continuation
  ) async throws -> ExitStatus {
    var table = TopTable(window: window)
    var view = TopView(order: order)
    var inspected: String?
    var notice: String? = "asking \(session.connection.nodeName) …"
    for await input in inputs {
      let screen = screen(notice)
      switch input {
      case .look(let top, let peers, let time):
        table.take(top, at: time)
        table.take(peers: peers, at: time)
        if case .actor(let name) = view.page { inspect.yield(name) }
      case .notice(let text): notice = text
      case .inspected(let name, let text): if view.page == .actor(name) { inspected = text }
      case .key(let key):
        let names = screen.rows(table, view).map { Column.text($0, "name") }
        switch view.press(key, names: names, height: screen.rowCount) {
        case .redraw: break
        case .inspect(let name):
          inspected = nil
          inspect.yield(name)
        case .suspend: terminal.suspend()
        case .leave(let code): return code
        }
        // What is not among the rows that are here comes with the next look.
        wish.choice.withLock { $0 = (view.order, view.filter) }
      }
      try terminal.draw(self.screen(notice).lines(table, view, inspected: inspected))
    }
    return .ok
  }

  private func screen(_ notice: String?) -> TopScreen {
    TopScreen(
      namespace: session.settings.namespace, renderer: session.renderer, width: session.writer.outputWidth ?? 80,
      height: session.writer.outputHeight ?? 24, limit: limit, notice: notice)
  }
}
