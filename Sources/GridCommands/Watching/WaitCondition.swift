internal import GridClient
internal import GridCore

/// What `gridctl wait` waits for.
enum WaitCondition: Sendable, Equatable {
  case peers(ValueComparison, Int)
  case actor(String)
  case noActor(String)
  case leader(String)
  /// An event of this kind, from now on.
  case event(String)

  /// - Throws: ``GridError/Code/usage`` with the forms there are.
  init(parsing text: String) throws(GridError) {
    if text.hasPrefix("peers") {
      let rest = text.dropFirst(5)
      guard let sign = ValueComparison.signs.first(where: { rest.hasPrefix($0.text) && $0.comparison != .matches }),
        let count = Int(rest.dropFirst(sign.text.count)), count >= 0
      else { throw Self.unknown(text) }
      self = .peers(sign.comparison, count)
      return
    }
    guard let slash = text.firstIndex(of: "/") else { throw Self.unknown(text) }
    let name = String(text[text.index(after: slash)...])
    switch text[..<slash] {
    case "actor": self = .actor(try NameRules.validated(name, as: "actor"))
    case "no-actor": self = .noActor(try NameRules.validated(name, as: "actor"))
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
      hint: "write peers>=N, actor/NAME, no-actor/NAME, leader/NAME or event/KIND")
  }

  /// The kinds of events that may make it true.
  var events: [String] {
    switch self {
    case .peers: ["peer", "node"]
    case .actor, .noActor: ["actor", "peer"]
    case .leader: ["leader", "peer"]
    case .event(let kind): [kind]
    }
  }

  var text: String {
    switch self {
    case .peers(.equal, let count): "peers=\(count)"
    case .peers(let comparison, let count): "peers\(comparison.rawValue)\(count)"
    case .actor(let name): "actor/\(name)"
    case .noActor(let name): "no-actor/\(name)"
    case .leader(let name): "leader/\(name)"
    case .event(let kind): "event/\(kind)"
    }
  }
}

/// Finds out whether conditions hold.
struct WaitProbe: Sendable {
  let session: CommandSession

  /// Whether the condition holds now, and what there is instead.
  func look(_ condition: WaitCondition, seen: Set<String>) async throws -> (holds: Bool, found: String) {
    switch condition {
    case .peers(let comparison, let count):
      let peers = try await session.items("peers").items
      let alive = peers.count { $0["status"]?.stringValue == "alive" }
      return (comparison.holds(alive, count), "\(alive) peers are alive")
    case .actor(let name):
      let exists = try await exists(name)
      return (exists, exists ? "actor \(name) runs" : "there is no actor \(name)")
    case .noActor(let name):
      let exists = try await exists(name)
      return (!exists, exists ? "actor \(name) runs" : "there is no actor \(name)")
    case .leader(let name):
      let leaders = try await session.items("leader.list").items
      let exists = leaders.contains { $0["name"]?.stringValue == name }
      return (exists, exists ? "\(name) has a leader" : "nobody leads \(name)")
    case .event(let kind): return (seen.contains(kind), "no event of kind \(kind) came")
    }
  }

  private func exists(_ actor: String) async throws -> Bool {
    do throws(GridError) {
      _ = try await session.request("inspect", ["name": .string(actor)])
      return true
    } catch {
      if error.code == .noSuchActor { return false }
      throw error
    }
  }
}
