internal import GridCore
internal import GridSystem
internal import Synchronization

/// The way to the cluster for one kind of calls: one connection at a time, to whichever member answers.
///
/// Leases and watches have channels of their own, so that a large reading never holds them up.
final class EtcdChannel: Sendable {
  private struct State {
    var index: Int
    var connection: EndpointConnection?
    var isClosed = false
  }

  let configuration: EtcdConfiguration
  let thread: LoopThread
  private let credentials: Credentials?
  private let tasks: EngineTasks
  private let clock: any GridClock
  private let state: Mutex<State>
  private let isAway = Atomic(false)

  var executor: LoopExecutor { thread.executor }

  init(
    _ configuration: EtcdConfiguration, thread: LoopThread, credentials: Credentials?, tasks: EngineTasks,
    clock: any GridClock
  ) {
    self.configuration = configuration
    self.thread = thread
    self.credentials = credentials
    self.tasks = tasks
    self.clock = clock
    state = Mutex(State(index: Int.random(in: 0..<max(1, configuration.endpoints.count))))
  }

  /// How long one attempt may take: with one member there is nobody else to ask meanwhile.
  var attemptTimeout: Duration {
    configuration.endpoints.count > 1 ? configuration.attemptTimeout : configuration.attemptTimeout * 2
  }

  /// Once a whole call has found nobody, the next ones wait for no election until one succeeds: who asks then learns
  /// soon that the store is away, also when what they ask takes two calls.
  private var patience: Duration {
    let isAway = isAway.load(ordering: .relaxed)
    return isAway ? min(configuration.operationTimeout, .milliseconds(750)) : configuration.operationTimeout
  }

  /// A call has used up its time in vain.
  func foundNobody() { isAway.store(true, ordering: .relaxed) }

  /// Calls `method` until it succeeds, is refused for good, or the time is over; each attempt at the next member.
  ///
  /// A method that is not repeatable is tried again only while it certainly has not been carried out.
  /// - Parameter timeout: for all attempts together.
  func perform<Request, Response>(
    _ method: EtcdMethod<Request, Response>, _ request: Request, within timeout: Duration? = nil
  ) async throws(EtcdFailure) -> Response {
    let deadline = clock.now() + (timeout ?? patience)
    var hasSignedInAgain = false
    var attempts = 0
    while true {
      let failure: EtcdFailure
      do throws(EtcdFailure) {
        return try await attempt(method, request, within: min(attemptTimeout, deadline - clock.now()))
      } catch {
        failure = error
      }
      attempts += 1
      if failure.reason == .tokenInvalid, credentials != nil, !hasSignedInAgain {
        hasSignedInAgain = true
        continue
      }
      guard failure.isWorthAnotherAttempt, method.isRepeatable || !failure.mayBeApplied else { throw failure }
      // Every member once without delay; then they are given time to find a leader.
      let pause: Duration = attempts.isMultiple(of: configuration.endpoints.count) ? .milliseconds(100) : .zero
      guard clock.now() + pause < deadline else {
        foundNobody()
        throw failure
      }
      if pause > .zero { await thread.sleep(pause) }
      if Task.isCancelled { throw .cancelled(mayBeApplied: failure.mayBeApplied) }
    }
  }

  /// Calls `method` once, at the present member. A member that does not answer well is left for the next.
  func attempt<Request, Response>(
    _ method: EtcdMethod<Request, Response>, _ request: Request, within timeout: Duration
  ) async throws(EtcdFailure) -> Response {
    guard let answer = try await exchange(method, [request], within: timeout).first else {
      throw EtcdFailure(
        .undecided, mayBeApplied: true, GridError(.unavailable, "etcd ended a call without an answer"))
    }
    return answer
  }

  /// Sends requests on one stream, once, at the present member.
  ///
  /// - Returns: the answers, as many as there were.
  func exchange<Request, Response>(
    _ method: EtcdMethod<Request, Response>, _ requests: [Request], within timeout: Duration
  ) async throws(EtcdFailure) -> [Response] {
    let connection = try enter()
    defer { connection.leave() }
    let sent = SentMark()
    do throws(EtcdFailure) {
      let answers = try await thread.withDeadline(timeout) { [credentials] () async throws(EtcdFailure) in
        let token = try await credentials?.token(connection)
        do throws(EtcdFailure) {
          return try await connection.call(method, requests, token: token, sent: sent)
        } catch {
          if error.reason == .tokenInvalid { credentials?.forget(token) }
          throw error
        }
      }
      if let answers {
        isAway.store(false, ordering: .relaxed)
        return answers
      }
    } catch {
      if error.isWorthAnotherAttempt { leave(connection) } else { isAway.store(false, ordering: .relaxed) }
      throw error
    }
    if Task.isCancelled { throw .cancelled(mayBeApplied: sent.isSet) }
    leave(connection)
    throw .noAnswer(connection.endpoint, after: timeout, wasSent: sent.isSet)
  }

  /// The connection in use, with a call counted on it: ``EndpointConnection/leave()`` must follow.
  func enter() throws(EtcdFailure) -> EndpointConnection {
    try state.withLock { state throws(EtcdFailure) in
      if state.isClosed { throw .closed() }
      if let connection = state.connection, connection.enter() { return connection }
      let endpoints = configuration.endpoints
      do throws(GridError) {
        let connection = try EndpointConnection(
          endpoints[state.index % endpoints.count], configuration, executor: executor, tasks: tasks)
        _ = connection.enter()
        state.connection = connection
        return connection
      } catch {
        throw EtcdFailure(.refused, mayBeApplied: false, error)
      }
    }
  }

  /// Turns to the next member, unless somebody has done so already.
  func leave(_ connection: EndpointConnection) {
    state.withLock { state in
      guard state.connection === connection else { return }
      state.connection = nil
      state.index = (state.index + 1) % configuration.endpoints.count
    }
    connection.retire()
  }

  /// A token for a stream on `connection`; nil when nobody is to sign in.
  func token(_ connection: EndpointConnection) async throws(EtcdFailure) -> String? {
    try await credentials?.token(connection)
  }

  /// The token was not accepted: the next call signs in again.
  func forgetToken(_ token: String?) { credentials?.forget(token) }

  var signsIn: Bool { credentials != nil }

  /// Makes no attempts any more; those in progress go on to their end.
  func close() {
    let connection = state.withLock { state in
      state.isClosed = true
      defer { state.connection = nil }
      return state.connection
    }
    connection?.retire()
  }
}
