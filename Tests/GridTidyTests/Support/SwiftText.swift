/// A Swift file with its code and its comments told apart, line by line, so that rules about calls do not trip over
/// prose and text literals.
struct SwiftText {
  /// Relative to the repository's root.
  let path: String
  /// The lines as they are.
  let lines: [String]
  /// The lines with comments and the contents of text literals blanked; columns stay where they are in bytes.
  let code: [String]
  /// The lines with everything but comments blanked.
  let comments: [String]

  init(path: String, text: String) {
    self.path = path
    var scanner = Scanner(text)
    scanner.scan()
    lines = Self.split(Array(text.utf8))
    code = Self.split(scanner.code)
    comments = Self.split(scanner.comments)
  }

  private static func split(_ bytes: [UInt8]) -> [String] {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The target under `Sources` or `Tests` the file belongs to; nil for other files.
  var target: String? {
    let parts = path.split(separator: "/")
    guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
    return String(parts[1])
  }

  func finding(_ index: Int, _ text: String) -> Finding { Finding(path: path, line: index + 1, text: text) }
}

extension SwiftText {
  /// Goes through the bytes once, with a stack of what it is inside of.
  private struct Scanner {
    private enum Place {
      /// Code; inside an interpolation, how many parentheses are open.
      case code(parentheses: Int?)
      case literal(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var places: [Place] = [.code(parentheses: nil)]
    private(set) var code: [UInt8] = []
    private(set) var comments: [UInt8] = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func scan() {
      while at < bytes.count {
        switch places.last {
        case .literal(let hashes, let isMultiline): scanLiteral(hashes, isMultiline)
        default: scanCode()
        }
      }
    }

    private func starts(_ text: String, at place: Int) -> Bool {
      bytes.dropFirst(place).starts(with: text.utf8)
    }

    private enum Kind { case code, comment, text }

    private mutating func take(_ count: Int, as kind: Kind) {
      for byte in bytes[at..<min(at + count, bytes.count)] {
        let blank = byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " ")
        code.append(kind == .code ? byte : blank)
        comments.append(kind == .comment ? byte : blank)
      }
      at = min(at + count, bytes.count)
    }

    private mutating func scanCode() {
      if starts("//", at: at) {
        let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        take(end - at, as: .comment)
      } else if starts("/*", at: at) {
        takeBlockComment()
      } else if let literal = literalStart() {
        places.append(.literal(hashes: literal.hashes, isMultiline: literal.isMultiline))
        take(literal.hashes + (literal.isMultiline ? 3 : 1), as: .code)
      } else {
        take(1, as: endsInterpolation() ? .text : .code)
      }
    }

    private mutating func takeBlockComment() {
      var depth = 0
      repeat {
        if starts("/*", at: at) {
          depth += 1
          take(2, as: .comment)
        } else if starts("*/", at: at) {
          depth -= 1
          take(2, as: .comment)
        } else {
          take(1, as: .comment)
        }
      } while depth > 0 && at < bytes.count
    }

    private func literalStart() -> (hashes: Int, isMultiline: Bool)? {
      let hashes = bytes[at...].prefix { $0 == UInt8(ascii: "#") }.count
      guard starts("\"", at: at + hashes) else { return nil }
      return (hashes, starts("\"\"\"", at: at + hashes))
    }

    /// Counts a parenthesis of an interpolation; true when this one closes it.
    private mutating func endsInterpolation() -> Bool {
      guard case .code(let open?)? = places.last else { return false }
      var count = open
      if bytes[at] == UInt8(ascii: "(") { count += 1 }
      if bytes[at] == UInt8(ascii: ")") { count -= 1 }
      places.removeLast()
      if count > 0 { places.append(.code(parentheses: count)) }
      return count == 0
    }

    private mutating func scanLiteral(_ hashes: Int, _ isMultiline: Bool) {
      let marks = String(repeating: "#", count: hashes)
      let end = (isMultiline ? "\"\"\"" : "\"") + marks
      if starts(end, at: at) {
        places.removeLast()
        take(end.utf8.count, as: .code)
      } else if starts("\\" + marks + "(", at: at) {
        take(hashes + 2, as: .text)
        places.append(.code(parentheses: 1))
      } else if starts("\\" + marks, at: at) {
        take(hashes + 2, as: .text)
      } else {
        // A literal of one line cannot go on: the text is no Swift, and the rest is best read as code again.
        if bytes[at] == UInt8(ascii: "\n"), !isMultiline { places.removeLast() }
        take(1, as: .text)
      }
    }
  }
}
