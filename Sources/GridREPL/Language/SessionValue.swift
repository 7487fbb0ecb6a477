internal import GridCore

/// A value of the session, with what is known of how its rows are named.
struct SessionValue: Equatable, Sendable {
  var json: JSONValue
  /// The member that names a row: `id` for dead letters.
  var nameField: String?

  init(_ json: JSONValue, nameField: String? = nil) {
    self.json = json
    self.nameField = nameField
  }

  /// What `each` and `for` go through: the items of a list, the elements of an array, or the value itself.
  var rows: [JSONValue] {
    if let items = json["items"]?.arrayValue { return items }
    if case .array(let elements) = json { return elements }
    return json == .null ? [] : [json]
  }

  /// What `{}` stands for.
  static func name(of row: JSONValue, nameField: String?) -> String {
    guard case .object(let members) = row else { return row.plainText }
    for field in [nameField, "name", "id", "key"] {
      if let field, let value = members[field], value != .null { return value.plainText }
    }
    return row.text
  }
}

extension SessionValue {
  /// The longest name that errors show.
  private static let longestLabel = 60

  /// What errors call a row.
  static func label(of row: JSONValue, nameField: String?) -> String {
    let name = name(of: row, nameField: nameField)
    return name.count > longestLabel ? name.prefix(longestLabel - 1) + "…" : name
  }
}

/// Variables and results of a session.
///
/// Keeps the newest results; older numbers are gone.
struct SessionValues: Equatable, Sendable {
  /// How many results `$1…$N` reach back.
  static let keptResults = 100

  private var variables: [String: SessionValue] = [:]
  private var results: [SessionValue] = []
  /// The number of the newest result.
  private(set) var resultCount = 0
  /// `$?`: the exit code of the last command.
  var code: Int32 = 0
  /// `$!`: the last error.
  private(set) var error: JSONValue = .null

  /// The names of the variables, sorted.
  var names: [String] { variables.keys.sorted() }

  /// The results that are kept, oldest first, with their numbers.
  var numberedResults: [(number: Int, value: SessionValue)] {
    results.enumerated().map { (resultCount - results.count + 1 + $0.offset, $0.element) }
  }

  mutating func bind(_ name: String, to value: SessionValue) { variables[name] = value }

  /// Takes a result as `$_` and the next number.
  mutating func keep(_ value: SessionValue) {
    resultCount += 1
    results.append(value)
    if results.count > Self.keptResults { results.removeFirst(results.count - Self.keptResults) }
  }

  mutating func fail(_ error: JSONValue) { self.error = error }

  /// The value a reference stands for; nil when nothing of that name is bound.
  func value(of reference: Reference) -> SessionValue? {
    guard let root = root(reference.name) else { return nil }
    if reference.path.isEmpty { return root }
    return SessionValue(root.json.value(at: reference.path), nameField: root.nameField)
  }

  private func root(_ name: String) -> SessionValue? {
    switch name {
    case "_": return results.last ?? SessionValue(.null)
    case "?": return SessionValue(.integer(Int64(code)))
    case "!": return SessionValue(error)
    default: break
    }
    guard let number = Int(name) else { return variables[name] }
    let index = number - (resultCount - results.count) - 1
    return results.indices.contains(index) ? results[index] : nil
  }

  /// What to say of a name that nothing is bound to.
  func missing(_ reference: Reference) -> GridError {
    if let number = Int(reference.name) {
      let kept = results.isEmpty ? "there are none yet" : "kept are $\(resultCount - results.count + 1)…$\(resultCount)"
      return GridError(.usage, "there is no result \(number)", hint: kept)
    }
    let similar = NameSimilarity.similar(to: reference.name, in: names)
    return GridError(
      .usage, "there is no variable $\(reference.name)",
      hint: similar.isEmpty
        ? "let \(reference.name) = COMMAND" : "similar: \(similar.map { "$" + $0 }.joined(separator: ", "))")
  }
}

extension JSONValue {
  /// The value at the end of a path; null where the path leads nowhere.
  ///
  /// On a list, a name that is no member counts the items of that status: `$_.alive` of `peers`.
  func value(at path: [Reference.Step]) -> JSONValue {
    path.reduce(self) { value, step in
      switch step {
      case .member(let name):
        if let member = value[name] { return member }
        guard let items = value["items"]?.arrayValue else { return .null }
        let statuses = items.map { $0["status"]?.stringValue }
        guard !statuses.contains(where: { $0 == nil }) else { return .null }
        return .integer(Int64(statuses.count { $0 == name }))
      case .element(let index):
        guard let elements = value.arrayValue ?? value["items"]?.arrayValue else { return .null }
        let place = index < 0 ? elements.count + index : index
        return elements.indices.contains(place) ? elements[place] : .null
      }
    }
  }
}
