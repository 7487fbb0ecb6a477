/// The only place that starts a task outside a task group: the drain of a busy cell, and the command line as a whole.
///
/// A cell becomes busy on any thread, an event loop included, where no task group can be reached. Its drain ends by
/// itself when the mailbox is empty, is cancelled by ``ActorCell/stop(_:)``, and nobody awaits its result; the
/// node waits for its cells to end, not for tasks.
package enum UnstructuredTask {
  /// Starts `body` on the pool; or, with `immediately`, on this thread until it first suspends.
  ///
  /// - Parameter executor: runs it, and its children, instead of the pool.
  @discardableResult
  package static func start(
    immediately: Bool = false, on executor: (any TaskExecutor)? = nil,
    _ body: @escaping @concurrent @Sendable () async -> Void
  ) -> Task<Void, Never> {
    if let executor { return Task(executorPreference: executor) { await body() } }
    return immediately ? Task.immediate { await body() } : Task { await body() }
  }
}
