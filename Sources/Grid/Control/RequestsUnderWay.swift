internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// The requests that change something and are not answered yet, so that a node that leaves can finish them first.
final class RequestsUnderWay: Sendable {
  private struct State {
    var count = 0
    var waiting: [Latch] = []
  }

  private let state = Mutex(State())

  /// Runs `body` as one of them, unless the request changes nothing or is about this node alone. Who asks a node to
  /// leave is answered before it goes.
  func counting<Value>(
    _ effect: RequestEffect, _ body: () async throws -> Value
  ) async rethrows -> Value {
    guard effect != .own, effect != .reading else { return try await body() }
    state.withLock { $0.count += 1 }
    defer { end() }
    return try await body()
  }

  private func end() {
    let waiting = state.withLock { state -> [Latch] in
      state.count -= 1
      guard state.count == 0 else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for latch in waiting { latch.open() }
  }

  /// Returns when none is under way, or after `limit`.
  func wait(atMost limit: Duration) async {
    let latch = state.withLock { state -> Latch? in
      guard state.count > 0 else { return nil }
      let latch = Latch()
      state.waiting.append(latch)
      return latch
    }
    _ = await latch?.wait(atMost: limit)
  }
}

extension NodeRuntime {
  /// Why this node does nothing of what is asked at the moment; `what` says what was not done.
  func notServing(_ what: String, cause: GridError? = nil) -> GridError {
    let reason = stopRequested.isOpen ? "leaves the cluster" : "is no member of the cluster at the moment"
    return GridError(
      .notServing, "node \(nodeName) \(reason): \(what)",
      hint: stopRequested.isOpen ? "ask another node" : "try again soon, or ask another node",
      cause: cause?.code == .cancelled ? nil : cause?.description)
  }

  /// What is told of a request that failed: never "cancelled", which is for who gives up itself, and who asked did not.
  func told(_ error: GridError, _ verb: String, _ effect: RequestEffect) -> GridError {
    guard error.code == .cancelled else { return error }
    switch effect {
    case .own, .ownChange, .reading: return notServing("it does not answer \(verb)")
    case .repeatable, .once:
      return GridError(
        .nodeLost, "node \(nodeName) left before it knew what became of \(verb): it may have been done",
        hint: "look before you ask another node for it")
    }
  }
}
