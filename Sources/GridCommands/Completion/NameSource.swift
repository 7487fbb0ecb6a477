internal import GridActors
internal import GridClient
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Looks names up for one completion: in the cluster, within a deadline, then in the file of the last look.
struct NameSource: Sendable {
  let settings: Settings
  let contexts: ContextStore
  let cache: NameCache

  /// The shells wait while they ask, so this is the longest they do.
  static let patience = Duration.milliseconds(150)

  /// More of a noun are not offered: somebody types on.
  private static let mostNames = 2000

  /// The names of the nouns; of very many those that begin with `prefix`. Never throws: what cannot be found is not
  /// offered.
  func names(of nouns: [CompletionNoun], prefix: String) async -> [CompletionNoun: [CompletionName]] {
    var result: [CompletionNoun: [CompletionName]] = [:]
    for noun in nouns {
      guard let live = noun.live else {
        result[noun] = contexts.names().map { CompletionName($0) }
        continue
      }
      // Actors alone are too many to be told without it.
      let asked = live == .actor && NameRules.isValid(prefix) ? prefix : ""
      let found = await Deadline.run(within: Self.patience) { await look(live, asked) }
      if let found {
        cache.write(noun, found, prefix: asked)
        result[noun] = found
      } else {
        result[noun] = cache.read(noun)
      }
    }
    return result
  }

  private func look(_ noun: LiveName.Noun, _ prefix: String) async -> [CompletionName]? {
    do {
      let connection = try await settings.client(patience: Self.patience).connection(timeout: Self.patience)
      let limit = noun == .deadLetter ? 200 : Self.mostNames
      // The first page has to do: the shell waits.
      let found = try await LiveName.look(
        noun, over: connection, prefix: prefix, limit: limit, pages: 1, timeout: Self.patience)
      return found.filter { NameRules.isValid($0.name) }.map { CompletionName($0.name, detail: $0.detail) }
    } catch {
      return nil
    }
  }
}

extension LiveName {
  /// A few words for shells that show them.
  fileprivate var detail: String {
    switch self {
    case .actor(let actor): "\(actor.kind) on \(actor.node)"
    case .node(let peer): "\(peer.status.rawValue), \(peer.actors.map(String.init) ?? "-") actors"
    case .kind(let kind): "on \(kind.nodes.isEmpty ? "-" : kind.nodes.joined(separator: ","))"
    case .leader(let leader): "node \(leader.node ?? "-")"
    case .deadLetter(let letter): "\(letter.reason), to \(letter.target)"
    case .token(let token): "\(token.role.rawValue), \(token.state.rawValue) \(token.comment)"
    }
  }
}

/// Runs something for so long, and does not wait for its end when it takes longer.
enum Deadline {
  /// The result, or nil when there was none in time; `body` is then cancelled, and what it still does is dropped.
  static func run<Value: Sendable>(
    within limit: Duration, _ body: @escaping @concurrent @Sendable () async -> Value?
  ) async -> Value? {
    let timers = ProcessTimers.shared
    let first = Promise<Value?>()
    let work = UnstructuredTask.start { first.fulfil(await body()) }
    let timer = timers.schedule(after: limit) { first.fulfil(nil) }
    let result = await first.value()
    work.cancel()
    timers.cancel(timer)
    return result
  }
}
