internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import Synchronization

/// What kinds of events a session shows.
struct ShownEvents: Equatable, Sendable {
  /// The kinds there are, dead letters among them.
  static let all = GridEvent.Kind.allCases.map(\.rawValue) + ["dead-letter"]
  /// What a session shows unless told: members, leaders and dead letters.
  static let standard = ShownEvents(kinds: ["peer", "leader", "dead-letter"])

  var kinds: Set<String>

  /// Reads `on`, `off`, `all` or kinds with commas.
  ///
  /// - Throws: ``GridError/Code/usage`` for an unknown kind.
  init(_ text: String) throws(GridError) {
    switch text {
    case "on": self = .standard
    case "off": kinds = []
    case "all": kinds = Set(Self.all)
    default:
      kinds = []
      for part in text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init) {
        let kind = part == "member" || part == "members" ? "peer" : part
        guard Self.all.contains(kind) else {
          let similar = NameSimilarity.similar(to: kind, in: Self.all)
          throw GridError(
            .usage, "there are no events of kind \(NameRules.quoted(part))",
            hint: "\(similar.isEmpty ? "" : "similar: \(similar.joined(separator: ", ")); ")"
              + "on, off, all, or some of \(Self.all.joined(separator: ","))")
        }
        kinds.insert(kind)
      }
    }
  }

  init(kinds: Set<String>) { self.kinds = kinds }

  var text: String { kinds.isEmpty ? "off" : kinds.sorted().joined(separator: ",") }
}

/// An event as one line, and what it is folded by.
struct EventLine: Equatable, Sendable {
  var kind: String
  var name: String
  var text: String

  /// An event of the cluster; nil for what is no news here: each node tells of its peers, one node is enough.
  init?(event: GridEvent, node: String) {
    if event.kind == .peer || event.kind == .leader, event.node != node { return nil }
    kind = event.kind.rawValue
    name = event.name
    let place = event.kind == .actor ? " on \(event.node)" : ""
    let noun = event.kind == .peer || event.kind == .node ? "" : kind + " "
    text = "\(Self.time(event.at)) \(noun)\(name) \(event.text)\(place)"
  }

  init(deadLetter letter: DeadLetter) {
    kind = "dead-letter"
    name = letter.target
    let noun = letter.count > 1 ? CountText.of(letter.count, "dead letter") : "dead letter"
    text = "\(Self.time(letter.at)) \(noun) to \(name): \(letter.reason.rawValue) (\(letter.identifier))"
  }

  private static func time(_ time: CalendarTime) -> String { String(time.rfc3339.dropFirst(11).prefix(8)) }
}

/// Follows the cluster over one connection: events for the screen, the health for the prompt, names for completion.
final class EventFeed: Sendable {
  /// Where the news goes.
  struct Outlets: Sendable {
    var show: @Sendable (String) -> Void
    var health: @Sendable (PromptHealth) -> Void
    var peers: @Sendable ([PeerReport]) -> Void
  }

  private struct State {
    var choice: ShownEvents
    var folder = EventFolder()
  }

  /// How often the health is asked for when nothing happens.
  private static let interval = Duration.seconds(5)
  /// How long to wait before a stream that failed is begun again.
  private static let pause = Duration.milliseconds(500)

  private let state: Mutex<State>
  private let choiceChanged = Signal<Void>()
  private let peersChanged = Signal<Void>()
  private let folded = Signal<Void>()
  private let outlets: Outlets
  private let timers = ProcessTimers.shared

  init(choice: ShownEvents, outlets: Outlets) {
    state = Mutex(State(choice: choice))
    self.outlets = outlets
  }

  var choice: ShownEvents { state.withLock { $0.choice } }

  func choose(_ choice: ShownEvents) {
    state.withLock { $0.choice = choice }
    choiceChanged.raise()
  }

  /// Follows until cancelled. A stream that fails is begun again: the connection may still be good.
  func follow(_ connection: NodeConnection) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.followHealth(connection) }
      group.addTask { await self.followEvents(connection) }
      group.addTask { await self.flushFolded() }
    }
  }

  private func followEvents(_ connection: NodeConnection) async {
    while !Task.isCancelled {
      let choice = choice
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.choiceChanged.wait() }
        group.addTask {
          // Peers are always followed: the prompt shows them.
          let kinds = choice.kinds.union(["peer"]).subtracting(["dead-letter"]).sorted()
          await self.read(connection, EventStreamRequest(EventChoice(kinds: kinds))) { event in
            if event.kind == .peer { self.peersChanged.raise() }
            return EventLine(event: event, node: connection.nodeName)
          }
        }
        if choice.kinds.contains("dead-letter") {
          group.addTask {
            await self.read(connection, DeadLetterStreamRequest()) { EventLine(deadLetter: $0) }
          }
        }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private func read<Request: StreamRequest>(
    _ connection: NodeConnection, _ request: Request, _ line: @escaping @Sendable (Request.Item) -> EventLine?
  ) async {
    while !Task.isCancelled {
      do {
        for try await json in connection.stream(request) {
          switch try? Request.streamItem(json) {
          case .item(let item): if let line = line(item) { admit(line) }
          case .remark(.missed(let count)): outlets.show("\(count) events were missed")
          case .remark, nil: continue
          }
        }
      } catch {
        // Told by whoever keeps the connection.
      }
      await timers.sleep(for: Self.pause)
    }
  }

  private func admit(_ line: EventLine) {
    let (isShown, begins) = state.withLock { state -> (Bool, Bool) in
      guard state.choice.kinds.contains(line.kind) else { return (false, false) }
      let begins = state.folder.windowEnds == nil
      return (state.folder.admits(kind: line.kind, name: line.name, now: timers.now()), begins)
    }
    if begins { folded.raise() }
    if isShown { outlets.show(line.text) }
  }

  /// Tells what was folded, a second after the first of it.
  private func flushFolded() async {
    while !Task.isCancelled {
      guard let ends = state.withLock({ $0.folder.windowEnds }) else {
        await folded.wait()
        continue
      }
      await timers.sleep(until: ends)
      for line in state.withLock({ $0.folder.flush(now: timers.now()) }) { outlets.show(line) }
    }
  }

  private func followHealth(_ connection: NodeConnection) async {
    while !Task.isCancelled {
      if let peers = try? await connection.list(PeersRequest(), timeout: .seconds(5)).items() {
        outlets.peers(peers)
        outlets.health(PromptHealth(node: connection.nodeName, peers: peers))
      }
      await peersChanged.wait(atMost: Self.interval, on: timers)
    }
  }
}
