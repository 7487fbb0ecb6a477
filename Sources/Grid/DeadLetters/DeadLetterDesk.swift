internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridRequests

/// Answers what is asked about dead letters: this node's, those that nodes which are gone have left on this machine,
/// and those of every other node.
struct DeadLetterDesk: Sendable {
  /// Bytes of a body that one answer has: a third more in base 64.
  private static let bodyPart = 1024 * 1024

  let node: NodeSelf
  let letters: DeadLetterOffice
  let shelf: DeadLetterShelf
  let notes: DeadLetterNotes
  let router: Router
  let calls: ClusterCalls
  let timers: any Timers
  let deadlines: DeadlineList

  // MARK: Looking

  /// Dead letters by their identifiers, the newest first.
  func list(_ request: DeadLettersRequest, _ call: RequestCall) async throws -> ListAnswer<DeadLetter> {
    var request = request
    if !call.caller.readsBodies { request.bodies = .none }
    var query = DeadLetterQuery(
      request.filter, before: call.page.after, maximumBytes: call.page.mostBytes, bodyLimit: request.bodies.limit)
    query.filter.limit = call.page.limit
    let question = query
    var pages: [ListPage] = []
    let missing = try await shelf.withEachLog(without: call.routing.without) { _, log in
      let page = try await log.page(question)
      var shown = ListPage(
        page.letters.map { ListPage.Item(key: $0.identifier, value: $0.listed) }, within: call.page.mostBytes)
      shown.next = shown.next ?? page.next
      pages.append(shown)
    }
    return await calls.list(request, own: pages, missing: missing, call)
  }

  /// What each log holds, and what it has dropped.
  func tallies(_ request: DeadLetterTalliesRequest, _ call: RequestCall) async throws -> ListAnswer<DeadLetterTally> {
    var tallies: [DeadLetterTally] = []
    let own = node.name
    let missing = try await shelf.withEachLog(without: call.routing.without) { name, log in
      tallies.append(DeadLetterTally(node: name, isGone: name != own, try await log.counts()))
    }
    if !call.isLocal { tallies += await notes.outOfReach(butFor: Set(tallies.map(\.node))) }
    return await calls.list(request, own: [call.page.page(tallies)], missing: missing, call)
  }

  /// One letter. A body that would be too much for one answer is left out; ``body(_:_:)`` has it.
  func show(_ request: DeadLetterRequest, _ call: RequestCall) async throws -> ListedDeadLetter {
    if let letter = try await shelf.find(request.identifier)?.letter {
      return ListedDeadLetter(json: (call.caller.readsBodies ? letter : letter.cut(toBody: 0)).listed)
    }
    return try await firstAnswer(request, about: request.identifier, call)
  }

  /// A part of a letter's body, from the offset.
  func body(_ request: DeadLetterBodyRequest, _ call: RequestCall) async throws -> DeadLetterPart {
    guard let letter = try await shelf.find(request.identifier)?.letter else {
      return try await firstAnswer(request, about: request.identifier, call)
    }
    let body = letter.message.body
    return DeadLetterPart(
      part: Array(body.dropFirst(max(0, request.offset)).prefix(Self.bodyPart)), bodyBytes: body.count)
  }

  /// Says whether this node can read a letter.
  func holder(_ request: DeadLetterHolderRequest) async throws -> DeadLetterHolder {
    guard try await shelf.find(request.identifier) != nil else { throw Self.unknown(request.identifier) }
    return DeadLetterHolder(node: node.name)
  }

  func follow(_ request: DeadLetterStreamRequest, _ stream: ClusterStream) {
    let filter = request.filter
    let readsBodies = stream.caller.readsBodies
    let number = letters.subscribe { letter in
      guard filter.matches(letter) else { return }
      stream.send((readsBodies ? letter : letter.cut(toBody: 0)).json)
    }
    stream.onEnd { [letters] in letters.unsubscribe(number) }
  }

  // MARK: Changing

  func purge(_ request: PurgeDeadLettersRequest, _ call: RequestCall) async throws -> PurgedDeadLetters {
    var removed: Int64 = 0
    let unread = try await shelf.withEachLog(without: call.routing.without) { _, log in
      removed = removed.addingClamped(Int64(try await log.purge(request.filter)))
    }
    if call.isLocal { return PurgedDeadLetters(removed: removed, missing: unread) }
    let gathered = await calls.gather(request, call)
    let elsewhere = gathered.answers.map(\.answer.removed).clampedSum()
    return PurgedDeadLetters(removed: elsewhere.addingClamped(removed), missing: unread + gathered.missing)
  }

  /// Sends a letter again, to its own target or another.
  ///
  /// Its mark is set first, and only where nobody was quicker, so it goes out once however many ask. A message that is
  /// not handled this time is a letter of its own; the mark is taken back only when the connection to the target's
  /// node was lost and nobody knows what became of it.
  func replay(_ request: ReplayDeadLetterRequest, _ call: RequestCall) async throws -> ReplayedDeadLetter {
    let identifier = request.identifier
    guard let (holder, letter) = try await shelf.find(identifier) else {
      // What changes something is asked of one node.
      let found = try await firstAnswer(DeadLetterHolderRequest(identifier), about: identifier, call)
      return try await calls.ask(request, on: found.node, call)
    }
    let target = try ActorAddress(parsing: request.target ?? letter.target).text
    let isRepeated = !letter.replayedAs.isEmpty && request.isOnce
    let fresh = letters.newIdentifier()
    let isMarked = try await shelf.withLog(of: holder) { log in
      if isRepeated { return false }
      return try await log.markReplayed(identifier, as: fresh, insteadOf: letter.replayedAs)
    }
    guard isMarked else {
      throw GridError(.nameTaken, "dead letter \(identifier) was sent again by somebody else meanwhile")
    }
    do throws(GridError) {
      try await send(letter, to: target, as: fresh, deadline: call.deadline)
    } catch {
      guard error.code == .nodeLost else { throw error }
      _ = try? await shelf.withLog(of: holder) { log in
        try await log.markReplayed(identifier, as: letter.replayedAs, insteadOf: fresh)
      }
      throw error
    }
    return ReplayedDeadLetter(identifier: identifier, replayedAs: fresh, target: target)
  }

  private func send(
    _ letter: DeadLetter, to target: String, as identifier: String, deadline: MonotonicTime
  ) async throws(GridError) {
    var message = letter.message
    message.headers.removeAll { $0.name == "gridctl-replay" }
    message.headers.append(Message.Header("gridctl-replay", identifier))
    _ = try await PendingAsk.run(timeout: deadline - timers.now(), deadlines: deadlines) {
      router.route(
        Envelope(
          target: target, message: message, sender: letter.sender, expectation: .acceptance, deadline: $1,
          responder: $0))
    }
  }

  // MARK: Who has it

  private func firstAnswer<Request: NodeRequest>(
    _ request: Request, about identifier: String, _ call: RequestCall
  ) async throws -> Request.Answer {
    if call.isLocal { throw Self.unknown(identifier) }
    do {
      guard let found = try await calls.first(request, call) else { throw Self.unknown(identifier) }
      return found
    } catch let error as GridError where error.code == .unavailable {
      throw GridError(.unavailable, "no dead letter \(identifier) was found, but \(error.message)")
    }
  }

  private static func unknown(_ identifier: String) -> GridError {
    GridError(.notFound, "no dead letter \(identifier)", hint: "see: gridctl dead-letters list")
  }
}

extension DeadLetter {
  /// As it stands in a list: a body that is too long for a page is left out.
  fileprivate var listed: JSONValue {
    // In base 64 it grows by a third: no need to see how long it is.
    if bodyBytes > ListPage.largestItem { return cut(toBody: 0).json }
    let json = json
    return json.serializedBytes > ListPage.largestItem ? json.withoutBody : json
  }
}
