internal import GridClient
internal import GridCore
internal import GridRequests

/// What `gridctl wait` waits for.
enum WaitCondition: Sendable, Equatable {
  case peers(ValueComparison, Int)
  /// So many actors, on all nodes together.
  case actors(ValueComparison, Int)
  case actor(String)
  case noActor(String)
  case leader(String)
  /// An event of this kind, from now on.
  case event(String)

  /// - Throws: ``GridError/Code/usage`` with the forms there are.
  init(parsing text: String) throws(GridError) {
    for (noun, condition) in [("peers", WaitCondition.peers), ("actors", WaitCondition.actors)]
    where text.hasPrefix(noun) {
      let rest = text.dropFirst(noun.count)
      guard let sign = ValueComparison.signs.first(where: { rest.hasPrefix($0.text) && $0.comparison != .matches }),
        let count = Int(rest.dropFirst(sign.text.count)), count >= 0
      else { throw Self.unknown(text) }
      self = condition(sign.comparison, count)
      return
    }
    guard let slash = text.firstIndex(of: "/") else { throw Self.unknown(text) }
    let name = String(text[text.index(after: slash)...])
    switch text[..<slash] {
    case "actor": self = .actor(try ActorAddress(parsing: name).text)
    case "no-actor": self = .noActor(try ActorAddress(parsing: name).text)
    case "leader": self = .leader(try NameRules.validated(name, as: "leader"))
    case "event":
      guard GridEvent.Kind(rawValue: name) != nil else {
        throw GridError(
          .usage, "unknown kind of event \(NameRules.quoted(name))",
          hint: GridEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))
      }
      self = .event(name)
    default: throw Self.unknown(text)
    }
  }

  private static func unknown(_ text: String) -> GridError {
    GridError(
      .usage, "\(NameRules.quoted(text)) is no condition",
      hint: "write peers>=N, actors>=N, actor/NAME, no-actor/NAME, leader/NAME or event/KIND")
  }

  /// The kinds of events that may make it true.
  var events: [GridEvent.Kind] {
    switch self {
    case .peers: [.peer, .node]
    case .actor, .noActor: [.actor, .peer]
    case .actors: [.actor, .peer, .node]
    case .leader: [.leader, .peer]
    case .event(let kind): GridEvent.Kind(rawValue: kind).map { [$0] } ?? []
    }
  }

  var text: String {
    switch self {
    case .peers(let comparison, let count): "peers\(Self.sign(comparison))\(count)"
    case .actors(let comparison, let count): "actors\(Self.sign(comparison))\(count)"
    case .actor(let name): "actor/\(name)"
    case .noActor(let name): "no-actor/\(name)"
    case .leader(let name): "leader/\(name)"
    case .event(let kind): "event/\(kind)"
    }
  }

  private static func sign(_ comparison: ValueComparison) -> String {
    comparison == .equal ? "=" : comparison.rawValue
  }
}

/// How many actors run in the cluster, as its nodes say; pure.
struct ActorCount: Sendable, Equatable {
  var known = 0
  /// Nodes that may have actors, and do not say how many.
  var silent: [String] = []

  init(_ peers: [PeerReport]) {
    for peer in peers where peer.status == .alive || peer.status == .suspect {
      if let count = peer.actors {
        known = [known, max(0, count)].clampedSum()
      } else {
        silent.append(peer.name)
      }
    }
  }

  /// Whether it certainly is so, whatever the silent nodes have.
  func satisfies(_ comparison: ValueComparison, _ count: Int) -> Bool {
    let canOnlyGrow = [.atLeast, .greater].contains(comparison) || comparison == .unequal && known > count
    return (silent.isEmpty || canOnlyGrow) && comparison.holds(known, count)
  }

  var text: String {
    let told = "\(CountText.of(known, "actor")) \(known == 1 ? "runs" : "run")"
    guard !silent.isEmpty else { return told }
    return "at least \(told), and \(silent.joined(separator: ", ")) does not say"
  }
}

/// Finds out whether conditions hold.
struct WaitProbe: Sendable {
  let session: CommandSession

  /// Whether the condition holds now, and what there is instead.
  func look(_ condition: WaitCondition, seen: Set<String>) async throws -> (holds: Bool, found: String) {
    switch condition {
    case .peers(let comparison, let count):
      let peers = try await session.items(PeersRequest()).items()
      let alive = peers.count { $0.status == .alive }
      return (comparison.holds(alive, count), "\(alive) peers are alive")
    case .actors(let comparison, let count):
      let found = ActorCount(try await session.items(PeersRequest()).items())
      return (found.satisfies(comparison, count), found.text)
    case .actor(let name):
      let exists = try await exists(name)
      return (exists, exists ? "actor \(name) runs" : "there is no actor \(name)")
    case .noActor(let name):
      let exists = try await exists(name)
      return (!exists, exists ? "actor \(name) runs" : "there is no actor \(name)")
    case .leader(let name):
      let leaders = try await session.items(LeadersRequest()).items()
      let exists = leaders.contains { $0.name == name }
      return (exists, exists ? "\(name) has a leader" : "nobody leads \(name)")
    case .event(let kind): return (seen.contains(kind), "no event of kind \(kind) came")
    }
  }

  private func exists(_ actor: String) async throws -> Bool {
    do throws(GridError) {
      _ = try await session.request(InspectRequest(actor))
      return true
    } catch {
      if error.code == .noSuchActor { return false }
      throw error
    }
  }
}
