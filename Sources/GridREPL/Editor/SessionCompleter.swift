internal import GridCommands
internal import GridCore

/// Finishes what is typed in a session: finds out what stands there, and asks who knows it.
struct SessionCompleter: Sendable {
  /// How many candidates are handed over; nobody reads more.
  static let capacity = 50_000

  /// Knows the words of commands.
  let commands: any LineCompleter
  let core: SessionCore

  /// - Parameters:
  ///   - line: the whole line, in bytes as the editor counts.
  ///   - start: where the word begins.
  ///   - end: where the cursor is.
  func candidates(line: String, start: Int, end: Int) -> [Candidate] {
    let bytes = Array(line.utf8)
    guard start <= end, end <= bytes.count else { return [] }
    let before = String(decoding: bytes[..<start], as: UTF8.self)
    let word = String(decoding: bytes[start..<end], as: UTF8.self)
    let spot = CompletionSpot(before: before, word: word)
    return Array(candidates(spot).prefix(Self.capacity))
  }

  private func candidates(_ spot: CompletionSpot) -> [Candidate] {
    switch spot {
    case .variable(let prefix): return variables(prefix)
    case .colon(let prefix):
      return matching(ColonCommands.all.map { ":" + $0.name }, prefix)
    case .colonArgument(let name, let index, let prefix): return argument(of: name, index, prefix)
    case .file(let prefix): return FileCompleter.candidates(prefix)
    case .stage(let prefix): return matching(["each"], prefix)
    case .command(let words, let prefix, let quote):
      if words.isEmpty {
        return matching((CommandHelp.commands().map(\.name) + SessionWords.beginnings).sorted(), prefix)
      }
      if words[0] == "help" {
        let topics = words.count == 1 ? SessionHelp.topics.map(\.name) : []
        return matching((CommandHelp.commands(below: Array(words.dropFirst())).map(\.name) + topics).sorted(), prefix)
      }
      return commands.candidates(after: words, prefix: prefix).map {
        Candidate(text: quote + $0.text, isWhole: $0.isWhole)
      }
    case .nothing: return []
    }
  }

  private func matching(_ names: [String], _ prefix: String) -> [Candidate] {
    names.filter { $0.hasPrefix(prefix) }.map { Candidate(text: $0) }
  }

  /// Names of variables, and members of their values.
  private func variables(_ prefix: String) -> [Candidate] {
    let values = core.values
    guard let dot = prefix.lastIndex(of: ".") else {
      let numbers = values.numberedResults.map { String($0.number) }
      return (["_", "?", "!"] + values.names + numbers).map { "$" + $0 }.filter { $0.hasPrefix(prefix) }
        .map { Candidate(text: $0, isWhole: false) }
    }
    var scanner = Scanner(String(prefix[..<dot]))
    guard let reference = try? scanner.reference(), scanner.isAtEnd, let value = values.value(of: reference) else {
      return []
    }
    let stem = String(prefix[...dot])
    return (value.json.objectValue ?? [:]).keys.sorted().map { stem + $0 }.filter { $0.hasPrefix(prefix) }
      .map { Candidate(text: $0, isWhole: false) }
  }

  private func argument(of name: String, _ index: Int, _ prefix: String) -> [Candidate] {
    switch (name, index) {
    case ("use", 0): return matching(core.services.contexts, prefix)
    case ("attach", 0): return commands.candidates(after: ["node", "info"], prefix: prefix)
    case ("events", _): return matching((["on", "off", "all"] + ShownEvents.all).sorted(), prefix)
    case ("set", 0): return matching(SessionSettingsCommand.names, prefix)
    case ("timing", 0): return matching(["off", "on"], prefix)
    case ("help", 0), ("h", 0): return matching(ColonCommands.all.map { ":" + $0.name }, prefix)
    case ("fg", 0), ("kill", 0): return matching(core.jobs.background.map { String($0.number) }, prefix)
    case ("source", 0): return FileCompleter.candidates(prefix)
    default: return []
    }
  }
}

/// What stands where the cursor is. Pure.
enum CompletionSpot: Equatable, Sendable {
  /// A word of a command, after others; `quote` is what it begins with.
  case command(words: [String], prefix: String, quote: String)
  case variable(prefix: String)
  case colon(prefix: String)
  case colonArgument(name: String, index: Int, prefix: String)
  case file(prefix: String)
  /// After `|>`.
  case stage(prefix: String)
  /// In the shell's part, or where anything may stand.
  case nothing

  init(before: String, word: String) {
    if word.hasPrefix("$") {
      self = .variable(prefix: word)
      return
    }
    var words: [String] = []
    var isShell = false
    var isFile = false
    var isStage = false
    for token in Self.tokens(before) {
      switch token {
      case ";", "\n": (words, isShell, isFile, isStage) = ([], false, false, false)
      case "|>": (words, isShell, isStage) = ([], false, true)
      case "|": (words, isShell) = ([], true)
      case ">", ">>": isFile = true
      default: words.append(token)
      }
    }
    if isFile, !isShell {
      self = .file(prefix: word)
    } else if isShell || words.first?.hasPrefix("!") == true {
      self = .nothing
    } else {
      self = Self.spot(words, word, isStage: isStage)
    }
  }

  private static func spot(_ words: [String], _ word: String, isStage: Bool) -> CompletionSpot {
    if isStage, words.isEmpty { return .stage(prefix: word) }
    if words.isEmpty, word.hasPrefix(":") { return .colon(prefix: word) }
    if let first = words.first, first.hasPrefix(":") {
      return .colonArgument(name: String(first.dropFirst()), index: words.count - 1, prefix: word)
    }
    var rest = words[...]
    if isStage { rest = afterEach(rest) }
    if rest.first == "let", rest.count >= 3 { rest = rest.dropFirst(3) }
    if rest.first == "watch" { rest = afterWatch(rest) }
    if rest.first == "for", rest.count >= 3 { rest = rest.dropFirst(3) }
    if rest.first == "let" || rest.first == "for" { return .nothing }
    if word.hasPrefix("@") { return .file(prefix: word) }
    let quote = word.first.map { $0 == "'" || $0 == "\"" } ?? false ? String(word.prefix(1)) : ""
    return .command(words: Array(rest), prefix: String(word.dropFirst(quote.count)), quote: quote)
  }

  private static func afterEach(_ words: ArraySlice<String>) -> ArraySlice<String> {
    guard words.first == "each" else { return words }
    let rest = words.dropFirst()
    return rest.first == "-P" ? rest.dropFirst(2) : rest.first?.hasPrefix("-P") == true ? rest.dropFirst() : rest
  }

  private static func afterWatch(_ words: ArraySlice<String>) -> ArraySlice<String> {
    var rest = words.dropFirst()
    while let option = rest.first, option.hasPrefix("-") {
      rest = rest.dropFirst(option == "-d" || option == "--differences" ? 1 : 2)
    }
    return rest
  }

  /// Words and signs; quotes keep words together, and are taken off.
  private static func tokens(_ text: String) -> [String] {
    var tokens: [String] = []
    var word: String?
    var quote: Character?
    var characters = Array(text)[...]
    func finish() {
      if let finished = word { tokens.append(finished) }
      word = nil
    }
    while let character = characters.popFirst() {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isNewline || character == ";" {
        finish()
        tokens.append(character == ";" ? ";" : "\n")
      } else if character == "|" || (character == ">" && word == nil) {
        finish()
        let isDouble = characters.first == ">"
        if isDouble { characters.removeFirst() }
        tokens.append(String(character) + (isDouble ? ">" : ""))
      } else if character.isWhitespace {
        finish()
      } else {
        word = (word ?? "") + String(character)
      }
    }
    finish()
    return tokens
  }
}
