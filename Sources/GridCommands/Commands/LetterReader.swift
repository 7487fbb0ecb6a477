internal import GridClient
internal import GridCore

/// Reads dead letters, however many and however large, in parts that fit into frames.
struct LetterReader {
  let session: CommandSession

  /// How much of the bodies is wanted.
  enum Bodies: String {
    case none, short, whole
  }

  /// What the output shows: a table the beginning of each body, a name nothing of it.
  var shownBodies: Bodies {
    if session.renderer.results != nil { return .whole }
    switch session.renderer.format {
    case .table, .wide, .tsv: return .short
    case .name: return .none
    default: return .whole
    }
  }

  /// The letters that match, oldest first; of more than `limit` the newest.
  func letters(
    _ arguments: [String: JSONValue], limit: Int = .max, bodies: Bodies = .whole
  ) async throws(GridError) -> ClusterList {
    var arguments = arguments
    arguments["bodies"] = .string(bodies.rawValue)
    let list = try await session.items("deadLetters.list", .object(arguments), limit: limit)
    guard bodies == .whole else { return list.replacing(list.items.reversed()) }
    var letters: [JSONValue] = []
    for letter in list.items.reversed() { letters.append(try await completed(letter)) }
    return list.replacing(letters)
  }

  /// One letter with its whole body.
  func letter(_ identifier: String) async throws(GridError) -> JSONValue {
    try await completed(try await session.request("deadLetters.show", ["id": .string(identifier)]))
  }

  /// The letter with the body that was too large for an answer.
  private func completed(_ letter: JSONValue) async throws(GridError) -> JSONValue {
    guard letter["bodyLeftOut"]?.boolValue ?? false, let identifier = letter["id"] else { return letter }
    var body: [UInt8] = []
    while true {
      let answer = try await session.request(
        "deadLetters.body", ["id": identifier, "offset": .integer(Int64(body.count))])
      guard let part = answer["part"]?.stringValue.flatMap(Base64.decoded), !part.isEmpty else { break }
      body += part
      if body.count >= answer["bodyBytes"]?.integerValue ?? 0 { break }
    }
    var whole = try DeadLetter(json: letter.without("bodyBytes"))
    whole.message.body = body
    whole.bodyBytes = body.count
    return whole.json
  }

  /// Says which letters are in no list: those that there was no room for, and those that lie where nobody reads them.
  func warnOfUnlisted() async throws(GridError) {
    for log in try await session.items("deadLetters.counts").items {
      let node = Column.text(log["node"])
      if log["isOutOfReach"]?.boolValue ?? false {
        session.writer.warning(
          "node \(node), which is gone, keeps dead letters (\(Column.text(log["kept"])) when it last said so); "
            + "they are listed when it comes again")
      }
      guard let dropped = log["dropped"]?.integerValue, dropped > 0 else { continue }
      session.writer.warning(
        "node \(node) dropped \(dropped) older dead letters, having no room for them; "
          + "see --dead-letter-capacity and --dead-letter-bytes of node start")
    }
  }

  /// A remark beside the output.
  func remark(_ text: String) { if !session.settings.isQuiet { session.writer.error(text) } }
}
