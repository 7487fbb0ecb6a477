internal import Foundation

/// What the library promises is named, once, on the front page of its documentation, and nothing else is.
enum PromiseRules {
  private static let rooms: Set = ["Grid", "GridActors", "GridCore"]
  private static let sorts: Set<Substring> = ["struct", "enum", "class", "protocol", "typealias", "actor"]

  /// The public types of the library, by where they are declared.
  static func declared(_ files: [SwiftText]) -> [String: String] {
    var places: [String: String] = [:]
    for file in files where rooms.contains(file.target ?? "") {
      for line in file.code where line.first != " " && line.contains("public ") {
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        guard let sort = words.firstIndex(where: sorts.contains), sort + 1 < words.count else { continue }
        places[String(words[sort + 1])] = file.path
      }
    }
    return places
  }

  /// The names that the topics of a page of documentation link to as symbols.
  static func named(_ page: String) -> Set<String> {
    guard let topics = page.range(of: "## Topics") else { return [] }
    let pieces = page[topics.upperBound...].split(separator: "``", omittingEmptySubsequences: false)
    return Set(pieces.indices.filter { $0 % 2 == 1 }.map { String(pieces[$0]) })
  }

  static func findings(_ files: [SwiftText], page: String, _ text: String) -> [Finding] {
    let (declared, named) = (declared(files), named(text))
    let unnamed = declared.filter { !named.contains($0.key) }.map { name, path in
      Finding(path: path, line: 0, text: "\(name) is public, but \(page) does not name it: write package, or name it")
    }
    let missing = named.filter { declared[$0] == nil }.map { name in
      Finding(path: page, line: 0, text: "names \(name), which is no public type")
    }
    return unnamed + missing
  }
}
