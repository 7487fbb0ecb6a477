/// Lines, functions and files that fit a screen and a head.
enum LayoutRules {
  static let maximumColumns = 120
  static let maximumFileLines = 400
  static let maximumFunctionLines = 70

  static func longLines(_ path: String, _ lines: [String]) -> [Finding] {
    lines.enumerated().filter { $0.element.count > maximumColumns }.map { index, line in
      Finding(path: path, line: index + 1, text: "\(line.count) columns; \(maximumColumns) at most")
    }
  }

  /// Something that is longer than it should be, by the key of its entry in the ratchet.
  struct Overlong: Equatable {
    var key: String
    var lines: Int
    var limit: Int
  }

  /// The file itself under its path, its functions under `path#name`.
  static func overlong(in file: SwiftText) -> [Overlong] {
    var found: [Overlong] = []
    if file.lines.count > maximumFileLines {
      found.append(Overlong(key: file.path, lines: file.lines.count, limit: maximumFileLines))
    }
    for function in FunctionFinder.functions(in: file) where function.lines > maximumFunctionLines {
      found.append(Overlong(key: "\(file.path)#\(function.name)", lines: function.lines, limit: maximumFunctionLines))
    }
    return found
  }

  /// Compares what is overlong with what is known to be: nothing new, nothing longer, no entry without a use.
  static func compare(_ found: [Overlong], with ratchet: [String: Int]) -> [Finding] {
    let present = Dictionary(found.map { ($0.key, $0.lines) }, uniquingKeysWith: max)
    var findings = found.compactMap { overlong -> Finding? in
      guard let known = ratchet[overlong.key] else {
        return Finding(
          path: overlong.key, line: 0, text: "\(overlong.lines) lines; \(overlong.limit) at most: divide it")
      }
      guard overlong.lines > known else { return nil }
      return Finding(path: overlong.key, line: 0, text: "grew from \(known) to \(overlong.lines) lines: divide it")
    }
    for (key, known) in ratchet where (present[key] ?? 0) < known {
      let now = present[key].map { "has \($0) lines now: lower its entry" } ?? "is short enough now: remove its entry"
      findings.append(Finding(path: key, line: 0, text: "\(now) in Ratchet.swift"))
    }
    return findings
  }
}

/// Finds functions, initialisers and the like with a body, by counting braces.
enum FunctionFinder {
  struct Function: Equatable {
    var name: String
    /// From 1.
    var line: Int
    /// From the line of the name to the one of the closing brace.
    var lines: Int
  }

  static func functions(in file: SwiftText) -> [Function] {
    file.code.indices.compactMap { index in
      guard let name = declaredName(file.code[index]), let end = bodyEnd(from: index, in: file.code) else { return nil }
      return Function(name: name, line: index + 1, lines: end - index + 1)
    }
  }

  /// The name of the function that the line declares, or nil.
  private static func declaredName(_ line: String) -> String? {
    let words = line.split(separator: " ")
    if let place = words.firstIndex(of: "func"), place + 1 < words.count {
      return String(words[place + 1].prefix { $0 != "(" && $0 != "<" })
    }
    let first = words.first { !modifiers.contains($0) && !$0.hasPrefix("@") }
    guard let first else { return nil }
    for name in ["init", "deinit", "subscript"] {
      guard first.hasPrefix(name) else { continue }
      let rest = first.dropFirst(name.count)
      if rest.isEmpty || "(<?".contains(rest.first ?? " ") { return name }
    }
    return nil
  }

  private static let modifiers: Set<Substring> = [
    "public", "package", "internal", "private", "fileprivate", "static", "class", "override", "required",
    "convenience", "mutating", "nonmutating", "nonisolated", "isolated", "consuming", "borrowing", "final",
  ]

  /// Words that begin the next declaration: a function before one has no body (a requirement of a protocol).
  private static let beginnings: Set<Substring> = modifiers.union([
    "func", "init", "var", "let", "case", "struct", "enum", "protocol", "extension", "associatedtype", "subscript",
    "deinit", "typealias",
  ])

  private static func bodyEnd(from start: Int, in code: [String]) -> Int? {
    var parentheses = 0
    var braces = 0
    for index in start..<code.count {
      if index > start, parentheses == 0, braces == 0, let word = code[index].split(separator: " ").first,
        beginnings.contains(word) || word.hasPrefix("@")
      {
        return nil
      }
      for byte in code[index].utf8 {
        switch byte {
        case UInt8(ascii: "("): parentheses += 1
        case UInt8(ascii: ")"): parentheses -= 1
        // A closure as the default of a parameter is no body.
        case UInt8(ascii: "{"): if parentheses == 0 || braces > 0 { braces += 1 }
        case UInt8(ascii: "}"):
          if braces == 0, parentheses == 0 { return nil }
          if braces > 0 { braces -= 1 }
          if braces == 0, parentheses == 0 { return index }
        default: break
        }
      }
    }
    return nil
  }
}
