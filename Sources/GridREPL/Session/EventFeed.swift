internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// What kinds of events a session shows.
struct EventChoice: Equatable, Sendable {
  /// The kinds there are, dead letters among them.
  static let all = GridEvent.Kind.allCases.map(\.rawValue) + ["dead-letter"]
  /// What a session shows unless told: members, leaders and dead letters.
  static let standard = EventChoice(kinds: ["peer", "leader", "dead-letter"])

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
  init?(event: JSONValue, node: String) {
    guard let kind = event["kind"]?.stringValue, GridEvent.Kind(rawValue: kind) != nil else { return nil }
    let seenBy = event["node"]?.stringValue ?? ""
    if kind == GridEvent.Kind.peer.rawValue || kind == GridEvent.Kind.leader.rawValue, seenBy != node { return nil }
    self.kind = kind
    name = event["name"]?.stringValue ?? ""
    let place = kind == GridEvent.Kind.actor.rawValue ? " on \(seenBy)" : ""
    let noun = kind == GridEvent.Kind.peer.rawValue || kind == GridEvent.Kind.node.rawValue ? "" : kind + " "
    text = "\(Self.time(event)) \(noun)\(name) \(event["detail"]?.stringValue ?? "")\(place)"
  }

  init(deadLetter letter: JSONValue) {
    kind = "dead-letter"
    name = letter["target"]?.stringValue ?? ""
    let count = letter["count"]?.integerValue ?? 1
    let noun = count > 1 ? CountText.of(count, "dead letter") : "dead letter"
    text =
      "\(Self.time(letter)) \(noun) to \(name): \(letter["reason"]?.stringValue ?? "") "
      + "(\(letter["id"]?.stringValue ?? ""))"
  }

  private static func time(_ item: JSONValue) -> String {
    String((item["at"]?.stringValue ?? "").dropFirst(11).prefix(8))
  }
}

/// Follows the cluster over one connection: events for the screen, the health for the prompt, names for completion.
final class EventFeed: Sendable {
  /// Where the news goes.
  struct Outlets: Sendable {
    var show: @Sendable (String) -> Void
    var health: @Sendable (ClusterHealth) -> Void
    var peers: @Sendable ([JSONValue]) -> Void
  }

  private struct State {
    var choice: EventChoice
    var folder = EventFolder()
  }

  /// How often the health is asked for when nothing happens.
  private static let interval = Duration.seconds(5)

  private let state: Mutex<State>
  private let choiceChanged = Signal<Void>()
  private let peersChanged = Signal<Void>()
  private let folded = Signal<Void>()
  private let outlets: Outlets
  private let clock = SessionServices.clock

  init(choice: EventChoice, outlets: Outlets) {
    state = Mutex(State(choice: choice))
    self.outlets = outlets
  }

  var choice: EventChoice { state.withLock { $0.choice } }

  func choose(_ choice: EventChoice) {
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
          await self.read(connection, "events", ["kinds": .array(kinds.map { .string($0) })]) { item in
            if item["kind"]?.stringValue == "peer" { self.peersChanged.raise() }
            return EventLine(event: item, node: connection.nodeName)
          }
        }
        if choice.kinds.contains("dead-letter") {
          group.addTask {
            await self.read(connection, "deadLetters.tail", ["reasons": []]) { EventLine(deadLetter: $0) }
          }
        }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private func read(
    _ connection: NodeConnection, _ verb: String, _ arguments: JSONValue,
    _ line: @escaping @Sendable (JSONValue) -> EventLine?
  ) async {
    while !Task.isCancelled {
      do {
        for try await item in connection.stream(verb, arguments) {
          switch item["kind"]?.stringValue {
          case "synced": continue
          case "missed": outlets.show("\(item["count"]?.text ?? "some") events were missed")
          default: if let line = line(item) { admit(line) }
          }
        }
      } catch {
        // Told by whoever keeps the connection.
      }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  private func admit(_ line: EventLine) {
    let (isShown, begins) = state.withLock { state -> (Bool, Bool) in
      guard state.choice.kinds.contains(line.kind) else { return (false, false) }
      let begins = state.folder.windowEnds == nil
      return (state.folder.admits(kind: line.kind, name: line.name, now: clock.now()), begins)
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
      try? await Task.sleep(for: max(.zero, ends - clock.now()))
      for line in state.withLock({ $0.folder.flush(now: clock.now()) }) { outlets.show(line) }
    }
  }

  private func followHealth(_ connection: NodeConnection) async {
    while !Task.isCancelled {
      if let peers = try? await connection.list("peers", timeout: .seconds(5)).items {
        outlets.peers(peers)
        outlets.health(ClusterHealth(node: connection.nodeName, peers: peers))
      }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await Task.sleep(for: Self.interval) }
        group.addTask { await self.peersChanged.wait() }
        await group.next()
        group.cancelAll()
      }
    }
  }
}
