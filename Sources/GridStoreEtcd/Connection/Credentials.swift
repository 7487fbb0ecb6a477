internal import GridConcurrency
internal import GridCore
internal import Synchronization

/// Signs in with user and password and keeps the token until etcd no longer takes it. However many calls need a token
/// at once, one of them signs in (etcd spends some 60 ms of a processor on it) and the others wait for it.
final class Credentials: Sendable {
  fileprivate struct State {
    var token: Token = .none
    var isSigningIn = false
    var waiting: [Promise<Void>] = []
  }

  fileprivate enum Token {
    case none
    case valid(String)
    /// Etcd has authentication switched off.
    case needless
  }

  fileprivate enum Step {
    case use(String?)
    case signIn
    case wait
  }

  private let user: String
  private let password: String
  private let state = Mutex(State())

  init(user: String, password: String) {
    self.user = user
    self.password = password
  }

  /// The token to use; nil when etcd wants none.
  func token(_ connection: EndpointConnection) async throws(EtcdFailure) -> String? {
    while true {
      switch state.withLock({ $0.step() }) {
      case .use(let token): return token
      case .signIn: return try await signIn(connection)
      case .wait: await waitForOther()
      }
    }
  }

  /// `token` is no longer accepted, or no longer needless when it is nil. Another call may have signed in again by now.
  func forget(_ token: String?) {
    state.withLock { state in
      switch (state.token, token) {
      case (.valid(let known), let token?) where known == token: state.token = .none
      case (.needless, nil): state.token = .none
      default: break
      }
    }
  }

  private func signIn(_ connection: EndpointConnection) async throws(EtcdFailure) -> String? {
    var request = Etcdserverpb_AuthenticateRequest()
    request.name = user
    request.password = password
    do throws(EtcdFailure) {
      let answers = try await connection.call(.authenticate, [request], token: nil, sent: SentMark())
      let token = answers.first?.token ?? ""
      finish(.valid(token))
      return token
    } catch {
      finish(error.reason == .authenticationDisabled ? .needless : .none)
      if error.reason == .authenticationDisabled { return nil }
      throw error
    }
  }

  private func finish(_ token: Token) {
    let waiting = state.withLock { state in
      state.token = token
      state.isSigningIn = false
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.fulfil() }
  }

  /// Returns when the call that signs in has ended, well or not: it has a deadline, so this needs none.
  private func waitForOther() async {
    await withPromise { promise in
      let isOver = state.withLock { state in
        if state.isSigningIn { state.waiting.append(promise) }
        return !state.isSigningIn
      }
      if isOver { promise.fulfil() }
    }
  }
}

extension Credentials.State {
  fileprivate mutating func step() -> Credentials.Step {
    switch token {
    case .valid(let token): return .use(token)
    case .needless: return .use(nil)
    case .none:
      if isSigningIn { return .wait }
      isSigningIn = true
      return .signIn
    }
  }
}
