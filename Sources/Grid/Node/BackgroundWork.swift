internal import GridConcurrency
internal import GridCore

/// What has to wait for something and must not hold up an event loop: each item is a child task of the node's.
///
/// At most 20 000 items wait to begin; further ones are refused, each in its own way.
final class BackgroundWork: Sendable {
  struct Item: Sendable {
    let perform: @Sendable () async -> Void
    let refuse: @Sendable (GridError) -> Void
  }

  private let queue = BoundedQueue<Item>(capacity: 20_000)

  func add(_ perform: @escaping @Sendable () async -> Void, refused refuse: @escaping @Sendable (GridError) -> Void) {
    guard !queue.push(Item(perform: perform, refuse: refuse)) else { return }
    refuse(GridError(.retryLater, "the node is overloaded", hint: "send again later"))
  }

  /// Runs until its task is cancelled; what is under way then is cancelled with it.
  func run() async {
    await withDiscardingTaskGroup { group in
      while let item = await queue.next() { group.addTask { await item.perform() } }
      group.cancelAll()
    }
  }
}
