package import GridCore

/// Asks many at once, and gathers what becomes of it.
package struct BroadcastRun: Sendable {
  /// Asks one of them, once.
  package typealias Ask = @Sendable (_ address: String) async throws(GridError) -> Message

  private let options: BroadcastOptions
  private let timers: any Timers

  package init(_ options: BroadcastOptions, timers: any Timers) {
    self.options = options
    self.timers = timers
  }

  /// The addresses, each once.
  ///
  /// - Throws: ``GridError/Code/usage`` when a text is no address, or there is none.
  package static func distinct(_ texts: [String]) throws(GridError) -> [String] {
    var seen: Set<String> = []
    var addresses: [String] = []
    for text in texts where seen.insert(text).inserted { addresses.append(try ActorAddress(parsing: text).text) }
    guard !addresses.isEmpty else { throw GridError(.usage, "a broadcast needs somebody to go to") }
    return addresses
  }

  /// Returns when everybody has replied, failed for good, or lost the race.
  ///
  /// - Parameter told: hears of each as soon as it is known; one at a time.
  /// - Throws: what `told` throws: the others are cancelled then.
  package func callAsFunction<Failure: Error>(
    _ addresses: [String], told: (BroadcastReply) throws(Failure) -> Void, ask: @escaping Ask
  ) async throws(Failure) -> BroadcastResult {
    var replies: [BroadcastReply?] = Array(repeating: nil, count: addresses.count)
    var failure: Failure?
    var isDecided = false
    await withTaskGroup(of: (Int, BroadcastReply).self) { group in
      var waiting = addresses.indices.makeIterator()
      func askNext() {
        guard !isDecided, let index = waiting.next() else { return }
        group.addTask { (index, await reply(of: addresses[index], ask)) }
      }
      for _ in 0..<max(1, min(options.parallel, addresses.count)) { askNext() }
      while let (index, found) = await group.next() {
        let reply = isDecided ? Self.afterTheEnd(found) : found
        replies[index] = reply
        if failure == nil { do throws(Failure) { try told(reply) } catch { failure = error } }
        if failure != nil || (options.endsWithFirst && reply.isSuccess) {
          isDecided = true
          group.cancelAll()
        }
        askNext()
      }
    }
    if let failure { throw failure }
    let members = zip(addresses, replies).map { $1 ?? .outrun($0, attempts: 0) }
    return BroadcastResult(members, options)
  }

  /// Whoever was broken off lost to another; a reply that came all the same counts.
  private static func afterTheEnd(_ reply: BroadcastReply) -> BroadcastReply {
    guard case .failure(let error) = reply.result, error.code == .cancelled else { return reply }
    return .outrun(reply.address, attempts: reply.attempts, elapsed: reply.elapsed)
  }

  private func reply(of address: String, _ ask: Ask) async -> BroadcastReply {
    let began = timers.now()
    var attempts = 1
    while true {
      do throws(GridError) {
        return BroadcastReply(
          address, .success(try await ask(address)), attempts: attempts, elapsed: timers.now() - began)
      } catch {
        let isOver = !options.retries(error, after: attempts)
        let pause = BroadcastOptions.backoff.pause(before: attempts - 1)
        let goesOn = isOver ? false : await timers.sleep(for: pause)
        guard goesOn else {
          return BroadcastReply(address, .failure(error), attempts: attempts, elapsed: timers.now() - began)
        }
        attempts += 1
      }
    }
  }
}

extension BroadcastReply {
  package var isSuccess: Bool { if case .success = result { true } else { false } }
}
