internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import GridLink

extension NodeRuntime {
  // MARK: Looking

  /// Dead letters by their identifiers, the newest first.
  func listDeadLetters(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let request = ListRequest(arguments, .descending)
    let query = try DeadLetterQuery(json: arguments, request)
    var pages: [ListPage] = []
    let missing = try await withEachLog(arguments) { _, log in
      let page = try await log.page(query)
      var shown = ListPage(
        page.letters.map { ListPage.Item(key: $0.identifier, value: $0.listed) }, within: request.bytes)
      shown.next = shown.next ?? page.next
      pages.append(shown)
    }
    return await gatherPage(
      "deadLetters.list", request, own: pages, missing: missing, key: { $0["id"]?.stringValue ?? "" },
      deadline: deadline)
  }

  /// What each log holds, and what it has dropped.
  func countDeadLetters(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let own = nodeName
    var items: [JSONValue] = []
    var readable: Set<String> = []
    let missing = try await withEachLog(arguments) { node, log in
      let counts = try await log.counts()
      readable.insert(node)
      items.append([
        "node": .string(node), "isGone": .bool(node != own), "kept": .integer(Int64(counts.kept)),
        "folded": .integer(Int64(counts.folded)), "dropped": .integer(Int64(counts.dropped)),
        "bytes": .integer(Int64(counts.bytes)),
      ])
    }
    if !arguments.isLocal {
      for note in await lettersOutOfReach(butFor: readable) {
        items.append(["node": .string(note.node), "isOutOfReach": true, "kept": .integer(note.kept)])
      }
    }
    let request = ListRequest(arguments)
    let node: (JSONValue) -> String = { $0["node"]?.stringValue ?? "" }
    return await gatherPage(
      "deadLetters.counts", request, own: [request.page(items.map { ListPage.Item(key: node($0), value: $0) })],
      missing: missing, key: node, deadline: deadline)
  }

  /// One letter. A body that would be too much for one answer is left out; ``deadLetterBody(_:deadline:)`` has it.
  func showDeadLetter(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    if let letter = try await findLetter(identifier)?.letter { return letter.listed }
    return try await askHolder(of: identifier, "deadLetters.show", arguments, deadline: deadline)
  }

  /// Bytes of a body that one answer has: a third more in base 64.
  private static let bodyPart = 1024 * 1024

  /// A part of a letter's body, from `offset`.
  func deadLetterBody(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    guard let letter = try await findLetter(identifier)?.letter else {
      return try await askHolder(of: identifier, "deadLetters.body", arguments, deadline: deadline)
    }
    let offset = Int(clamping: max(0, arguments["offset"]?.integerValue ?? 0))
    let part = Array(letter.message.body.dropFirst(offset).prefix(Self.bodyPart))
    return ["part": .string(Base64.encoded(part)), "bodyBytes": .integer(Int64(letter.message.body.count))]
  }

  // MARK: Changing

  func purgeDeadLetters(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let filter = try DeadLetterFilter(json: arguments)
    var removed: Int64 = 0
    let unread = try await withEachLog(arguments) { _, log in
      removed = removed.addingClamped(Int64(try await log.purge(filter)))
    }
    if arguments.isLocal { return ["removed": .integer(removed), "missing": .array(unread)] }
    let (answers, missing) = await gather("deadLetters.purge", arguments, deadline: deadline)
    let elsewhere = answers.compactMap { $0.answer["removed"]?.integerValue }.clampedSum()
    return ["removed": .integer(elsewhere.addingClamped(removed)), "missing": .array(unread + missing)]
  }

  /// Sends a letter again, to its own target or another.
  ///
  /// Its mark is set first, and only where nobody was quicker, so it goes out once however many ask. A message that is
  /// not handled this time is a letter of its own; the mark is taken back only when the connection to the target's
  /// node was lost and nobody knows what became of it.
  func replayDeadLetter(_ arguments: JSONValue, deadline: MonotonicTime) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    guard let (holder, letter) = try await findLetter(identifier) else {
      return try await askHolder(of: identifier, "deadLetters.replay", arguments, deadline: deadline)
    }
    let target = arguments["to"]?.stringValue ?? letter.target
    try NameRules.validated(target, as: "actor")
    let isRepeated = !letter.replayedAs.isEmpty && arguments["once"]?.boolValue ?? false
    let fresh = deadLetterOffice.newIdentifier()
    let isMarked = try await withLog(of: holder) { log in
      if isRepeated { return false }
      return try await log.markReplayed(identifier, as: fresh, insteadOf: letter.replayedAs)
    }
    guard isMarked else {
      throw GridError(.nameTaken, "dead letter \(identifier) was sent again by somebody else meanwhile")
    }
    do throws(GridError) {
      try await send(letter, to: target, as: fresh, deadline: deadline)
    } catch {
      guard error.code == .nodeLost else { throw error }
      _ = try? await withLog(of: holder) { log in
        try await log.markReplayed(identifier, as: letter.replayedAs, insteadOf: fresh)
      }
      throw error
    }
    return ["id": .string(identifier), "replayedAs": .string(fresh), "target": .string(target)]
  }

  private func send(
    _ letter: DeadLetter, to target: String, as identifier: String, deadline: MonotonicTime
  ) async throws(GridError) {
    var message = letter.message
    message.headers.removeAll { $0.name == "gridctl-replay" }
    message.headers.append(Message.Header("gridctl-replay", identifier))
    _ = try await PendingAsk.run(timeout: deadline - clock.now(), deadlines: deadlines) {
      route(
        Envelope(
          target: target, message: message, sender: letter.sender, expectation: .acceptance, deadline: $1,
          responder: $0))
    }
  }

  // MARK: Where letters are

  private var letterFiles: DeadLetterFiles { DeadLetterFiles(directory: configuration.stateDirectory) }

  /// The nodes that are gone and have left letters on this machine.
  private var goneNodes: [String] { letterFiles.abandoned(butFor: Set(membership.peers.map(\.name) + [nodeName])) }

  /// This node's log, then those that nodes which are gone have left on this machine.
  ///
  /// - Returns: the nodes whose files cannot be read: they hide nobody else's letters, and are named.
  private func withEachLog(
    _ arguments: JSONValue, _ body: (String, any DeadLetterLog) async throws -> Void
  ) async throws -> [JSONValue] {
    try await body(nodeName, try deadLetterOffice.log())
    var missing: [JSONValue] = []
    for node in goneNodes where !arguments.leavesOut(node) {
      do {
        try await letterFiles.withLog(of: node) { try await body(node, $0) }
      } catch {
        let failure = GridError.wrapping(error, as: .inputOutput, "the dead letters of \(node) cannot be read")
        missing.append(Self.missing(node, failure))
      }
    }
    return missing
  }

  private func withLog<Value>(
    of node: String, _ body: (any DeadLetterLog) async throws -> Value
  ) async throws -> Value {
    if node == nodeName { return try await body(try deadLetterOffice.log()) }
    return try await letterFiles.withLog(of: node, body)
  }

  /// A letter that this node can read, and whose log it is in.
  private func findLetter(_ identifier: String) async throws -> (holder: String, letter: DeadLetter)? {
    if let letter = try await deadLetterOffice.log().letter(identifier) { return (nodeName, letter) }
    for node in goneNodes {
      if let letter = try await letterFiles.withLog(of: node, { try await $0.letter(identifier) }) {
        return (node, letter)
      }
    }
    return nil
  }

  /// Has the one node that keeps a letter answer.
  private func askHolder(
    of identifier: String, _ verb: String, _ arguments: JSONValue, deadline: MonotonicTime
  ) async throws -> JSONValue {
    let unknown = GridError(.notFound, "no dead letter \(identifier)", hint: "see: gridctl dead-letters list")
    if arguments.isLocal { throw unknown }
    if verb == "deadLetters.show" || verb == "deadLetters.body" {
      return try await firstAnswer(verb, arguments, else: unknown, deadline: deadline)
    }
    // What changes something is asked of one node.
    let found = try await firstAnswer(
      "deadLetters.find", ["id": .string(identifier)], else: unknown, deadline: deadline)
    return try await forward(
      verb, arguments.with("local", true), to: try found.required("holder"), deadline: deadline)
  }

  private func firstAnswer(
    _ verb: String, _ arguments: JSONValue, else unknown: GridError, deadline: MonotonicTime
  ) async throws -> JSONValue {
    let (answers, missing) = await gather(verb, arguments, deadline: deadline)
    if let found = answers.first { return found.answer }
    let silent = missing.filter { $0["code"]?.stringValue != GridError.Code.notFound.label }
    guard let node = silent.first?["node"]?.stringValue else { throw unknown }
    throw GridError(.unavailable, "\(unknown.message) was found, but node \(node) did not answer")
  }

  /// Says whether this node can read a letter.
  func findDeadLetter(_ arguments: JSONValue) async throws -> JSONValue {
    let identifier = try arguments.required("id")
    guard try await findLetter(identifier) != nil else {
      throw GridError(.notFound, "no dead letter \(identifier)")
    }
    return ["holder": .string(nodeName)]
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

extension DeadLetterQuery {
  /// How much of a body is enough to know it by.
  private static let shortBody = 256

  /// - Throws: ``GridError/Code/usage`` for a reason that does not exist.
  fileprivate init(json: JSONValue, _ request: ListRequest) throws(GridError) {
    self.init(try DeadLetterFilter(json: json), before: request.after, maximumBytes: request.bytes)
    switch json["bodies"]?.stringValue {
    case "short": bodyLimit = Self.shortBody
    case "none": bodyLimit = 0
    default: break
    }
  }
}

extension DeadLetterFilter {
  /// - Throws: ``GridError/Code/usage`` for a reason that does not exist.
  init(json: JSONValue) throws(GridError) {
    self.init()
    for label in (json["reasons"]?.arrayValue ?? []).compactMap(\.stringValue) {
      guard let reason = DeadLetter.Reason(rawValue: label) else {
        throw GridError(
          .usage, "unknown reason \(NameRules.quoted(label))",
          hint: "reasons: \(DeadLetter.Reason.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      reasons.append(reason)
    }
    isReplayed = json["replayed"]?.boolValue
    target = json["target"]?.stringValue
    since = json["sinceMilliseconds"]?.integerValue.map { CalendarTime(millisecondsSince1970: $0) }
    limit = json["limit"]?.integerValue.map { Int(clamping: max(0, $0)) }
  }
}
