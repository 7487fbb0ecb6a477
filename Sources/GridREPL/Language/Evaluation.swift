internal import GridCommands
internal import GridCore

/// Gives words and expressions their values. Pure: variables and row come in.
struct Evaluation {
  var values: SessionValues
  /// The row that `{}` and `{.member}` stand for, inside `each`.
  var row: JSONValue?
  var rowNameField: String?

  // MARK: Expressions

  /// - Throws: ``GridError/Code/usage`` for a variable that is not bound.
  func value(of expression: Expression) throws(GridError) -> SessionValue {
    switch expression {
    case .literal(let value): return SessionValue(value)
    case .reference(let reference):
      guard let value = values.value(of: reference) else { throw values.missing(reference) }
      return value
    case .word(let word): return SessionValue(Self.parsed(word, try text(of: word)))
    case .call(let name, let arguments):
      var given: [JSONValue] = []
      for argument in arguments { given.append(try value(of: argument).json) }
      return SessionValue(Functions.call(name, given))
    case .not(let operand): return SessionValue(.bool(!Self.isTrue(try value(of: operand).json)))
    case .and(let left, let right):
      guard Self.isTrue(try value(of: left).json) else { return SessionValue(false) }
      return SessionValue(.bool(Self.isTrue(try value(of: right).json)))
    case .or(let left, let right):
      if Self.isTrue(try value(of: left).json) { return SessionValue(true) }
      return SessionValue(.bool(Self.isTrue(try value(of: right).json)))
    case .list(let elements):
      var values: [JSONValue] = []
      for element in elements { values.append(try value(of: element).json) }
      return SessionValue(.array(values))
    case .compare(let comparison, let left, let right):
      return SessionValue(.bool(comparison.holds(try value(of: left).json, try value(of: right).json)))
    }
  }

  func isTrue(_ expression: Expression) throws(GridError) -> Bool { Self.isTrue(try value(of: expression).json) }

  /// A word in brackets is a value when it can be read as JSON, else text.
  private static func parsed(_ word: Word, _ text: String) -> JSONValue {
    guard case .text(_, .none)? = word.pieces.first, let value = try? JSONValue(parsing: text) else {
      return .string(text)
    }
    return value
  }

  /// Null, false, zero, and what is empty are false.
  static func isTrue(_ value: JSONValue) -> Bool {
    switch value {
    case .null: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .decimal: value.doubleValue != 0
    case .string(let text): !text.isEmpty
    case .array(let elements): !elements.isEmpty
    case .object(let members): !members.isEmpty
    }
  }

  // MARK: Words

  /// The arguments that words stand for: one each, whatever their values are.
  func arguments(_ words: [Word]) throws(GridError) -> [String] {
    var arguments: [String] = []
    for word in words { arguments.append(try text(of: word)) }
    return arguments
  }

  /// The text a word stands for.
  ///
  /// In a body that is JSON, a value is put in as JSON: quoted where it stands by itself, escaped inside a text. So a
  /// value never changes the shape of the body.
  ///
  /// - Throws: ``GridError/Code/usage`` for a variable that is not bound.
  func text(of word: Word) throws(GridError) -> String {
    var output = WordText(isJSON: Self.isJSON(word))
    for piece in word.pieces {
      switch piece {
      case .text(let text, _):
        if row == nil { output.append(text) } else { appendRows(text, &output) }
      case .variable(let reference, _, _):
        guard let value = values.value(of: reference) else { throw values.missing(reference) }
        output.insert(value.json)
      }
    }
    return output.text
  }

  private static func isJSON(_ word: Word) -> Bool {
    guard case .text(let text, _)? = word.pieces.first, let first = text.first, first == "{" || first == "[" else {
      return false
    }
    // `{}` and `{.name}` alone are the row.
    return !(text.hasPrefix("{}") || text.hasPrefix("{."))
  }

  /// Puts the row in for `{}` and `{.member}`.
  private func appendRows(_ text: String, _ output: inout WordText) {
    guard let row else { return output.append(text) }
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      output.append(String(rest[..<open]))
      let after = rest[rest.index(after: open)...]
      if after.first == "}" {
        output.insert(.string(SessionValue.name(of: row, nameField: rowNameField)))
        rest = after.dropFirst()
      } else if after.first == ".", let close = after.firstIndex(of: "}"), let path = Self.path(after[..<close]) {
        output.insert(row.value(at: path))
        rest = after[after.index(after: close)...]
      } else {
        output.append("{")
        rest = after
      }
    }
    output.append(String(rest))
  }

  private static func path(_ text: Substring) -> [Reference.Step]? {
    var scanner = Scanner(String(text))
    var path: [Reference.Step] = []
    while let step = try? scanner.step() { path.append(step) }
    return scanner.isAtEnd && !path.isEmpty ? path : nil
  }
}

/// The text of a word in the making.
private struct WordText {
  private(set) var text = ""
  let isJSON: Bool
  /// Whether the end of the text lies inside a JSON string.
  private var isInString = false
  private var isEscaped = false

  init(isJSON: Bool) { self.isJSON = isJSON }

  mutating func append(_ part: String) {
    text += part
    guard isJSON else { return }
    for character in part {
      if isEscaped {
        isEscaped = false
      } else if character == "\\" {
        isEscaped = isInString
      } else if character == "\"" {
        isInString.toggle()
      }
    }
  }

  mutating func insert(_ value: JSONValue) {
    guard isJSON else { return text += value.plainText }
    text += isInString ? String(JSONValue.string(value.plainText).text.dropFirst().dropLast()) : value.text
  }
}
