internal import GridCluster
internal import GridCore
internal import GridLink
internal import GridRequests

/// Knows whoever comes in with a token, uses up those that are good for one connection, and closes what was opened with
/// one that has expired or was revoked.
final class TokenWarden: Sendable {
  /// The calendar may be set: the times of tokens are looked at as often as this while there are any.
  private static let longestPause = Duration.seconds(60)
  private static let shortestPause = Duration.milliseconds(10)

  private let membership: Membership
  private let clients: ClientLinks
  private let work: BackgroundWork
  private let timers: any Timers

  init(membership: Membership, clients: ClientLinks, work: BackgroundWork, timers: any Timers) {
    self.membership = membership
    self.clients = clients
    self.work = work
    self.timers = timers
  }

  private var tokens: StoreTokens { membership.tokens }

  // MARK: Connections

  /// What is known of a token; nil for none.
  func verifier(_ identifier: String) -> TokenVerifier? {
    guard let record = tokens[identifier] else { return nil }
    return TokenVerifier(
      identifier: identifier, role: record.role, readsBodies: record.readsBodies, isSingleUse: record.isSingleUse,
      storedKey: record.storedKey, serverKey: record.serverKey,
      objection: record.objection(at: timers.date()) ?? ignorance)
  }

  /// Who is outside of the cluster does not hear what is revoked.
  private var ignorance: GridError? {
    guard !membership.isValid(at: timers.now()) else { return nil }
    return GridError(
      .notServing, "this node is no member of the cluster at the moment: it cannot know whether a token is good",
      hint: "try again soon, or ask another node")
  }

  /// Uses a token up that is good for one connection.
  func admit(_ token: TokenVerifier, _ done: @escaping @Sendable (GridError?) -> Void) {
    work.add { [tokens, timers] in
      do throws(GridError) {
        try await tokens.use(token.identifier, at: timers.date())
        done(nil)
      } catch {
        done(error)
      }
    } refused: { error in
      done(error)
    }
  }

  /// What became of its token while it greeted counts as well.
  func opened(_ link: Link) {
    guard link.caller.source == .token, let closure = closure(of: link.caller, at: timers.date()) else { return }
    link.closeGracefully(closure.message)
  }

  private func closure(of caller: Caller, at now: CalendarTime) -> GridError? {
    guard let record = tokens[caller.name] else {
      return GridError(
        .refused, "token \(caller.name) is not known any more",
        hint: "an operator makes a new one with: gridctl token create")
    }
    return record.closure(at: now)
  }

  // MARK: Time

  /// Closes connections as their tokens end, and forgets tokens that ended long ago, until cancelled.
  func run() async {
    while !Task.isCancelled {
      let now = timers.date()
      closeEnded(at: now)
      // A store that cannot be reached is asked again.
      try? await tokens.forgetEnded(at: now)
      let next = tokens.all.map { $0.nextChange(after: now) }.min()
      await tokens.waitForChange(atMost: next.map { pause(until: $0, from: now) }, on: timers)
    }
  }

  private func closeEnded(at now: CalendarTime) {
    var ended: [String: String] = [:]
    for caller in clients.callers where caller.source == .token {
      ended[caller.name] = closure(of: caller, at: now)?.message
    }
    for (identifier, reason) in ended {
      clients.close(reason) { $0.source == .token && $0.name == identifier }
    }
  }

  private func pause(until next: CalendarTime, from now: CalendarTime) -> Duration {
    let milliseconds = next.millisecondsSince1970.subtractingClamped(now.millisecondsSince1970)
    // What is due and still there could not be done: not again at once.
    guard milliseconds > 0 else { return Self.longestPause }
    return max(Self.shortestPause, min(Self.longestPause, .milliseconds(milliseconds)))
  }
}
