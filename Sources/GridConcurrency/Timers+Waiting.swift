package import GridCore

/// How tasks wait for a time.
extension Timers {
  /// Returns at `time`, or when the task is cancelled.
  ///
  /// - Returns: whether the time has come; false when the task was cancelled before.
  @discardableResult
  package func sleep(until time: MonotonicTime) async -> Bool {
    if Task.isCancelled { return false }
    let over = Promise<Bool>()
    let token = schedule(at: time) { over.fulfil(true) }
    let hasCome = await over.value(ifCancelled: false)
    if !hasCome { cancel(token) }
    return hasCome
  }

  /// Returns after `duration`, or when the task is cancelled.
  ///
  /// - Returns: whether it has passed; false when the task was cancelled before.
  @discardableResult
  package func sleep(for duration: Duration) async -> Bool { await self.sleep(until: now() + duration) }

  /// What `body` returns, or nil when it has not returned after `limit`: then it is cancelled, and waited for.
  ///
  /// - Throws: what `body` throws.
  package func withLimit<Value: Sendable, Failure: Error>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws(Failure) -> Value
  ) async throws(Failure) -> Value? {
    let result = await withTaskGroup(of: Result<Value, Failure>?.self) { group in
      group.addTask {
        do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
      }
      group.addTask {
        await self.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    return try result?.get()
  }
}
