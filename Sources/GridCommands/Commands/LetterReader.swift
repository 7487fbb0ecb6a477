internal import GridClient
internal import GridCore
internal import GridRequests

/// Reads dead letters, however many and however large, in parts that fit into frames.
struct LetterReader {
  let session: CommandSession

  /// What the output shows: a table the beginning of each body, a name nothing of it.
  var shownBodies: DeadLetterBodies {
    if session.renderer.results != nil { return .whole }
    switch session.renderer.format {
    case .table, .wide, .tsv: return .short
    case .name: return .none
    default: return .whole
    }
  }

  /// The letters that match, oldest first; of more than `limit` the newest.
  func letters(
    _ filter: DeadLetterFilter, limit: Int = .max, bodies: DeadLetterBodies = .whole
  ) async throws(GridError) -> ClusterList<DeadLetter> {
    let list = try await session.items(DeadLettersRequest(filter, bodies: bodies), limit: limit)
    guard bodies == .whole else { return list.replacing(list.elements.reversed()) }
    var letters: [JSONValue] = []
    var readsBodies = true
    for letter in list.elements.reversed() {
      do throws(GridError) {
        letters.append(readsBodies ? try await completed(letter) : letter)
      } catch {
        // Who may not read bodies gets the list without them.
        guard error.code == .refused else { throw error }
        readsBodies = false
        letters.append(letter)
      }
    }
    return list.replacing(letters)
  }

  /// One letter with its whole body.
  func letter(_ identifier: String) async throws(GridError) -> JSONValue {
    try await completed(try await session.json(DeadLetterRequest(identifier)))
  }

  /// The letter with the body that was too large for an answer.
  private func completed(_ letter: JSONValue) async throws(GridError) -> JSONValue {
    guard Column.isTrue(letter, "bodyLeftOut") else { return letter }
    var whole = try DeadLetter(json: letter.without("bodyBytes"))
    var body: [UInt8] = []
    while true {
      let answer = try await session.request(DeadLetterBodyRequest(whole.identifier, offset: body.count))
      guard !answer.part.isEmpty else { break }
      body += answer.part
      if body.count >= answer.bodyBytes { break }
    }
    whole.message.body = body
    whole.bodyBytes = body.count
    return whole.json
  }

  /// Says which letters are in no list: those that there was no room for, and those that lie where nobody reads them.
  func warnOfUnlisted() async throws(GridError) {
    for log in try await session.items(DeadLetterTalliesRequest()).items() {
      let node = log.node
      if log.isOutOfReach {
        session.writer.warning(
          "node \(node), which is gone, keeps dead letters (\(log.kept) when it last said so); "
            + "they are listed when it comes again")
      }
      guard let dropped = log.dropped, dropped > 0 else { continue }
      session.writer.warning(
        "node \(node) dropped \(dropped) older dead letters, having no room for them; "
          + "see --dead-letter-capacity and --dead-letter-bytes of node start")
    }
  }

  /// A remark beside the output.
  func remark(_ text: String) { if !session.settings.isQuiet { session.writer.remark(text) } }
}
