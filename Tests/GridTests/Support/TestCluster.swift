internal import Foundation
internal import Grid
internal import GridStoreSQLite
internal import Logging
internal import Synchronization
internal import TestSupport
internal import Testing

/// Nodes of one namespace in this process, on loopback, with the embedded store in a directory of their own.
final class TestCluster: Sendable {
  let directory: String
  private let namespace = "test"
  private let nodes: [String: GridNode]

  init(
    _ names: [String], directory: String, kinds: (inout KindRegistry) -> Void,
    configure: (inout NodeConfiguration) -> Void
  ) {
    self.directory = directory
    var nodes: [String: GridNode] = [:]
    for name in names {
      var configuration = NodeConfiguration(
        namespace: namespace, name: name, listen: "127.0.0.1:0", stateDirectory: directory + "/state",
        runtimeDirectory: directory + "/run", logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
      configuration.allowsExec = true
      configure(&configuration)
      nodes[name] = GridNode(configuration, kinds: kinds)
    }
    self.nodes = nodes
  }

  subscript(name: String) -> GridNode {
    get throws { try #require(nodes[name], "the test has no node \(name)") }
  }

  var all: [GridNode] { Array(nodes.values) }

  /// Has a node leave, and waits until it has.
  func stop(_ name: String) async throws {
    let node = try self[name]
    node.beginGracefulShutdown()
    try await wait(for: "the end of \(name)") { node.hasEnded }
  }

  /// The dead letters that a node has left behind, when it is gone.
  func letters(of name: String) async throws -> [DeadLetter] {
    try await withLog(of: name) { try await $0.list(DeadLetterFilter()) }
  }

  /// The totals of the dead letters that a node has left behind, when it is gone.
  func counts(of name: String) async throws -> DeadLetterCounts {
    try await withLog(of: name) { try await $0.counts() }
  }

  private func withLog<Value>(of name: String, _ body: (SQLiteDeadLetterLog) async throws -> Value) async throws
    -> Value
  {
    let log = try await SQLiteDeadLetterLog(path: directory + "/state/\(name).dead-letters.sqlite")
    do {
      let value = try await body(log)
      await log.close()
      return value
    } catch {
      await log.close()
      throw error
    }
  }
}

/// So many clusters at once: with all side by side, messages would wait for a processor beyond their deadlines.
private let clusters = Turnstile(places: 4)

/// Runs `body` with nodes of those names, ready and knowing each other, and has them leave afterwards.
func withCluster(
  _ names: String..., kinds: (inout KindRegistry) -> Void = { _ in },
  configure: (inout NodeConfiguration) -> Void = { _ in }, _ body: (TestCluster) async throws -> Void
) async throws {
  await clusters.enter()
  defer { clusters.leave() }
  // Short, since the path of a socket must be.
  let directory = "/tmp/gridctl-\(UInt32.random(in: 0...UInt32.max))"
  defer { try? FileManager.default.removeItem(atPath: directory) }
  let cluster = TestCluster(names, directory: directory, kinds: kinds, configure: configure)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for node in cluster.all { group.addTask { try await node.run() } }
    do {
      for node in cluster.all { try await node.waitUntilReady() }
      try await wait(for: "all to know each other") {
        for node in cluster.all where try await node.peers().filter({ $0.status == .alive }).count < names.count {
          return false
        }
        return true
      }
      try await body(cluster)
    } catch {
      group.cancelAll()
      throw error
    }
    for node in cluster.all { node.beginGracefulShutdown() }
    try await group.waitForAll()
  }
}

/// Looks again and again until `condition` holds, for at most 30 s.
func wait(
  for event: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(30)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain for \(event)", sourceLocation: sourceLocation)
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// The code of the error that `body` throws, nil when it throws none.
func code(_ body: () async throws -> Void) async throws -> GridError.Code? {
  do { try await body() } catch let error as GridError { return error.code }
  return nil
}

/// Elements in the order of their arrival, from any thread.
final class Collected<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])

  func append(_ element: Element) { elements.withLock { $0.append(element) } }

  var all: [Element] { elements.withLock { $0 } }
  var count: Int { elements.withLock { $0.count } }
}

/// Runs `body` while everything that a stream brings is collected.
func collecting<Element: Sendable>(
  _ stream: AsyncStream<Element>, _ body: (Collected<Element>) async throws -> Void
) async throws {
  let collected = Collected<Element>()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { for await element in stream { collected.append(element) } }
    do {
      try await body(collected)
    } catch {
      group.cancelAll()
      throw error
    }
    group.cancelAll()
  }
}
