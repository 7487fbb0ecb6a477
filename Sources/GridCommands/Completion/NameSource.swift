internal import GridActors
internal import GridClient
internal import GridCore
internal import Synchronization

/// Looks names up for one completion: in the cluster, within a deadline, then in the file of the last look.
struct NameSource: Sendable {
  let settings: Settings
  let contexts: ContextStore
  let cache: NameCache

  /// The shells wait while they ask, so this is the longest they do.
  static let patience = Duration.milliseconds(150)

  /// The names of the nouns. Never throws: what cannot be found is not offered.
  func names(of nouns: [CompletionNoun]) async -> [CompletionNoun: [CompletionName]] {
    var result: [CompletionNoun: [CompletionName]] = [:]
    for noun in nouns {
      if noun == .context {
        result[noun] = contexts.names().map { CompletionName($0) }
        continue
      }
      let found = await Deadline.run(within: Self.patience) { await live(noun) }
      if let found {
        cache.write(noun, found)
        result[noun] = found
      } else {
        result[noun] = cache.read(noun)
      }
    }
    return result
  }

  private func live(_ noun: CompletionNoun) async -> [CompletionName]? {
    do {
      let connection = try await settings.connect(timeout: Self.patience)
      return try await Self.names(noun, connection)
    } catch {
      return nil
    }
  }

  private static func names(
    _ noun: CompletionNoun, _ connection: NodeConnection
  ) async throws(GridError) -> [CompletionName] {
    let (verb, field): (String, String) =
      switch noun {
      case .actor: ("actors", "name")
      case .node: ("peers", "name")
      case .kind: ("kinds", "name")
      case .leader: ("leader.list", "name")
      case .deadLetter: ("deadLetters.list", "id")
      case .context: ("", "")
      }
    // The first page has to do: the shell waits.
    let arguments: JSONValue = noun == .deadLetter ? ["limit": 200, "bodies": "none"] : ["limit": 10_000]
    let answer = try await connection.request(verb, arguments, timeout: patience)
    return (answer["items"]?.arrayValue ?? []).compactMap { item in
      guard let name = item[field]?.stringValue, NameRules.isValid(name) else { return nil }
      return CompletionName(name, detail: detail(noun, item))
    }
  }

  private static func detail(_ noun: CompletionNoun, _ item: JSONValue) -> String {
    switch noun {
    case .actor: "\(Column.text(item["kind"])) on \(Column.text(item["node"]))"
    case .node: "\(Column.text(item["status"])), \(Column.text(item["actors"])) actors"
    case .kind: "on \(Column.text(item["nodes"]))"
    case .leader: "node \(Column.text(item["node"]))"
    case .deadLetter: "\(Column.text(item["reason"])), to \(Column.text(item["target"]))"
    case .context: ""
    }
  }
}

/// Runs something for so long, and does not wait for its end when it takes longer.
enum Deadline {
  /// The result, or nil when there was none in time; `body` is then cancelled, and what it still does is dropped.
  static func run<Value: Sendable>(
    within limit: Duration, _ body: @escaping @concurrent @Sendable () async -> Value?
  ) async -> Value? {
    let box = FirstResult<Value>()
    let work = UnstructuredTask.start { box.resolve(await body()) }
    let timer = UnstructuredTask.start {
      try? await Task.sleep(for: limit)
      box.resolve(nil)
    }
    let result = await box.value()
    work.cancel()
    timer.cancel()
    return result
  }
}

/// The first of several results.
private final class FirstResult<Value: Sendable>: Sendable {
  private struct State {
    var result: Value??
    var waiting: CheckedContinuation<Value?, Never>?
  }

  private let state = Mutex(State())

  func resolve(_ value: Value?) {
    let waiting = state.withLock { state -> CheckedContinuation<Value?, Never>? in
      guard state.result == nil else { return nil }
      state.result = .some(value)
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: value)
  }

  func value() async -> Value? {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state -> Value?? in
        if state.result == nil { state.waiting = continuation }
        return state.result
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
