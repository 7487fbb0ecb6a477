/// A name in which `*` stands for any run of characters, `?` for one.
package struct NamePattern: Sendable, Equatable {
  package let text: String
  private let pattern: [UInt8]
  /// What every name that matches begins with.
  private let prefix: [UInt8]

  package init(_ text: String) {
    self.text = text
    pattern = Array(text.utf8)
    prefix = Array(pattern.prefix { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") })
  }

  /// Names that begin with a text in which nothing is special.
  package init(prefix: String) { self.init(prefix + "*") }

  /// Whether the whole of `name` matches. Linear in the name for one star, never exponential.
  package func matches(_ name: String) -> Bool {
    guard name.utf8.starts(with: prefix) else { return false }
    if pattern.count == prefix.count + 1, pattern.last == UInt8(ascii: "*") { return true }
    let name = Array(name.utf8)
    var place = 0
    var at = 0
    var star: (pattern: Int, name: Int)?
    while at < name.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        star = (place, at)
        place += 1
      } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[at] {
        place += 1
        at += 1
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        place = last.pattern + 1
        at = last.name + 1
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
