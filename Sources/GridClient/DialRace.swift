internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import Synchronization

/// Dials several endpoints until one answers: the first at once, the next when the one before has failed or has not
/// answered for a while. So a node that is paused does not keep a command from the others.
final class DialRace: Sendable {
  typealias Winner = (link: Link, endpoint: String)

  private struct State {
    var untried: ArraySlice<String>
    var underWay = 0
    var failures: [GridError] = []
    var waiting: Promise<Result<Winner, DialFailures>>?
  }

  /// How long an endpoint is waited for before the next one is tried beside it.
  private static let headStart = Duration.milliseconds(150)

  private let side: LinkEndpoint
  private let timeout: Duration
  private let state: Mutex<State>

  init(_ endpoints: [String], from side: LinkEndpoint, timeout: Duration) {
    self.side = side
    self.timeout = timeout
    state = Mutex(State(untried: endpoints[...]))
  }

  /// The first link that opens.
  ///
  /// - Throws: ``DialFailures`` with the reason of every endpoint, in the order in which they failed.
  func run() async throws(DialFailures) -> Winner {
    let result = await withPromise { promise in
      state.withLock { $0.waiting = promise }
      next()
    }
    return try result.get()
  }

  private func next() {
    let endpoint = state.withLock { state -> String? in
      guard state.waiting != nil, let endpoint = state.untried.popFirst() else { return nil }
      state.underWay += 1
      return endpoint
    }
    guard let endpoint else { return }
    let address: LinkAddress
    do throws(GridError) { address = try LinkAddress(parsing: endpoint) } catch { return failed(error) }
    let timer = side.timers.schedule(after: Self.headStart) { self.next() }
    side.dial(address, timeout: timeout) { result in
      self.side.timers.cancel(timer)
      switch result {
      case .success(let link): self.opened(link, endpoint)
      case .failure(let error): self.failed(error)
      }
    }
  }

  private func opened(_ link: Link, _ endpoint: String) {
    let waiting = state.withLock { state in
      defer { state.waiting = nil }
      return state.waiting
    }
    guard let waiting else { return link.close(GridError(.cancelled, "another node answered first")) }
    waiting.fulfil(.success((link, endpoint)))
  }

  private func failed(_ error: GridError) {
    let (waiting, failures) = state.withLock { state in
      state.underWay -= 1
      state.failures.append(error)
      guard state.underWay == 0, state.untried.isEmpty else {
        return (nil as Promise<Result<Winner, DialFailures>>?, DialFailures(errors: []))
      }
      defer { state.waiting = nil }
      return (state.waiting, DialFailures(errors: state.failures))
    }
    if let waiting { waiting.fulfil(.failure(failures)) } else { next() }
  }
}

/// Why no endpoint could be reached.
struct DialFailures: Error {
  var errors: [GridError]

  /// One error for all: a refusal says more than a closed port, so it is what the user hears of.
  var summary: GridError {
    if errors.count == 1, let only = errors.first { return only }
    return errors.first { $0.code != .unavailable }
      ?? GridError(
        .unavailable, "none of \(errors.count) endpoints answers: \(errors.map(\.description).joined(separator: "; "))",
        hint: "is a node running there? see: gridctl node start --help")
  }
}
