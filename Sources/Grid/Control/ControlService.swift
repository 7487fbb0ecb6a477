internal import GridConcurrency
internal import GridCore
internal import GridLink
internal import GridRequests
internal import Logging

/// Answers what clients and peers ask of the cluster itself.
final class ControlService: Sendable {
  private static let longestRequest = Duration.seconds(3600)

  private let node: NodeSelf
  private let requests: RequestTable
  private let streams: StreamTable
  private let book: RequestBook
  private let work: BackgroundWork
  private let timers: any Timers

  init(
    node: NodeSelf, requests: RequestTable, streams: StreamTable, book: RequestBook, work: BackgroundWork,
    timers: any Timers
  ) {
    self.node = node
    self.requests = requests
    self.streams = streams
    self.book = book
    self.work = work
    self.timers = timers
  }

  // MARK: From links

  func received(_ request: RequestFrame, deadline: MonotonicTime, on link: Link) {
    let (abandoned, count) = book.opened(request.correlation, on: link)
    if link.remote.role != .node,
      let error = ClientLimits.objection(to: request, requests: count, channels: link.openWriters)
    {
      book.refused(request.correlation, on: link)
      return link.resolve(request.correlation, .failure(error))
    }
    work.add {
      await self.answer(request, deadline, link, abandoned: abandoned)
    } refused: { error in
      self.book.closed(request.correlation, on: link)
      link.resolve(request.correlation, .failure(error))
    }
  }

  func cancelled(_ correlation: UInt64, on link: Link) {
    book.cancelled(correlation, on: link)
    streams.stop(link, correlation)
  }

  func linkClosed(_ link: Link) {
    book.linkClosed(link)
    streams.linkClosed(link)
  }

  func peerOpened(_ link: Link) { streams.peerOpened(link) }

  // MARK: Answering

  private func answer(_ request: RequestFrame, _ deadline: MonotonicTime, _ link: Link, abandoned: Latch) async {
    defer { book.closed(request.correlation, on: link) }
    var effect = RequestEffect.own
    do {
      let arguments = request.arguments.isEmpty ? .object([:]) : try JSONValue(parsing: request.arguments)
      if try streams.start(request.verb, arguments, request.correlation, link) {
        // Given up before it had begun: nobody else ends it.
        if abandoned.isOpen { streams.stop(link, request.correlation) }
        return
      }
      if request.credit > 0, let list = requests.list(request.verb) {
        return await answer(list, arguments, request, deadline, link, abandoned: abandoned)
      }
      let reading = try read(request.verb, arguments)
      effect = reading.effect
      // Answered before it counts as done: a node that leaves says goodbye after the answers.
      try await book.counting(effect) {
        let limit = min(deadline, timers.now() + Self.longestRequest)
        let answer = try await book.run(until: limit, on: link, abandoned: abandoned) {
          try await reading.answer(limit, link.caller)
        }
        guard let body = answer.serialized(within: LinkFrame.maximumPayloadBytes) else {
          throw GridError(.undecodable, "the answer to \(request.verb) does not fit into a frame")
        }
        link.resolve(request.correlation, .reply(Message(body: body, contentType: .json)))
      }
    } catch {
      let failure = GridError.wrapping(error, as: .failed, "the request failed")
      link.resolve(request.correlation, .failure(told(failure, request.verb, effect)))
    }
  }

  /// Answers a list over the channel that was opened for it.
  private func answer(
    _ list: @escaping RequestTable.ListHandler, _ arguments: JSONValue, _ request: RequestFrame,
    _ deadline: MonotonicTime, _ link: Link, abandoned: Latch
  ) async {
    let writer = link.writer(request.correlation)
    do {
      // The deadline is that of each page; a reader may take its time.
      try await book.run(until: timers.now() + Self.longestRequest, on: link, abandoned: abandoned) {
        try await list(arguments, deadline, link.caller, writer)
      }
    } catch {
      let failure = GridError.wrapping(error, as: .failed, "the request failed")
      writer.fail(told(failure, request.verb, .reading))
    }
  }

  /// What a request answers, as it travels.
  func answer(
    _ verb: String, _ arguments: JSONValue, until deadline: MonotonicTime, for caller: Caller
  ) async throws -> JSONValue {
    try await read(verb, arguments).answer(deadline, caller)
  }

  private func read(_ verb: String, _ arguments: JSONValue) throws -> RequestTable.Reading {
    if let handler = requests[verb] { return try handler.read(arguments) }
    throw GridError(
      .protocolMismatch, "node \(node.name) does not know the request \(NameRules.quoted(verb))",
      hint: "the client is newer than the node: use the same version")
  }

  /// What is told of a request that failed: never "cancelled", which is for who gives up itself, and who asked did not.
  private func told(_ error: GridError, _ verb: String, _ effect: RequestEffect) -> GridError {
    guard error.code == .cancelled else { return error }
    switch effect {
    case .own, .ownChange, .reading: return node.notServing("it does not answer \(verb)")
    case .repeatable, .once:
      return GridError(
        .nodeLost, "node \(node.name) left before it knew what became of \(verb): it may have been done",
        hint: "look before you ask another node for it")
    }
  }
}
