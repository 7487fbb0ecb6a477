/// Imports point down, say how far they are seen, and bring Foundation only where it belongs.
enum ImportRules {
  /// The rooms and what each may import of ours. A room that is not listed is a finding.
  static let allowed: [String: Set<String>] = [
    "GridCore": [],
    "GridConcurrency": ["GridCore"],
    "GridSystem": ["GridCore", "GridConcurrency", "CProcessGuard"],
    "GridRequests": ["GridCore"],
    "GridLink": ["GridCore", "GridConcurrency", "GridSystem", "GridRequests"],
    "GridSecurity": ["GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink"],
    "GridActors": ["GridCore", "GridConcurrency", "GridSystem", "GridRequests"],
    "GridCluster": ["GridCore", "GridConcurrency", "GridRequests"],
    "GridStoreSQLite": ["GridCore", "GridConcurrency", "GridSystem"],
    "GridStoreEtcd": ["GridCore", "GridConcurrency", "GridSystem"],
    "GridInterop": ["GridCore"],
    "GridClient": ["GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink"],
    "Grid": [
      "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", "GridCluster",
      "GridSecurity", "GridStoreSQLite", "GridStoreEtcd", "GridInterop",
    ],
    "GridCommands": [
      "Grid", "GridClient", "GridSecurity", "GridActors", "GridRequests", "GridSystem", "GridConcurrency", "GridCore",
    ],
    "GridREPL": [
      "GridCommands", "GridClient", "GridRequests", "GridSystem", "GridConcurrency", "GridCore", "CReadline",
    ],
    "GridTestKit": [
      "Grid", "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", "GridCluster",
      "GridStoreSQLite", "GridStoreEtcd", "GridInterop",
    ],
    "gridctl": ["GridCommands", "GridREPL"],
  ]

  /// C and library modules of ours that rooms import.
  private static let own = Set(allowed.keys).union(["CProcessGuard", "CReadline"])

  /// Rooms that stay free of Foundation, which costs every one-shot command its start-up.
  private static let withoutFoundation: Set<String> = [
    "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", "GridCluster",
    "GridClient",
  ]

  private static let foundation: Set<String> = [
    "Foundation", "FoundationEssentials", "FoundationNetworking", "Dispatch",
  ]

  private static let levels: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]

  private static let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

  /// One import statement.
  private struct Statement {
    var module: String
    var level: Substring?
    var isExported: Bool

    init?(_ line: String) {
      var words = line.split(separator: " ")[...]
      isExported = words.first == "@_exported"
      while let word = words.first, word.hasPrefix("@") { words.removeFirst() }
      level = words.first.flatMap { levels.contains($0) ? $0 : nil }
      if level != nil { words.removeFirst() }
      guard words.first == "import" else { return nil }
      words.removeFirst()
      if let word = words.first, kinds.contains(word) { words.removeFirst() }
      guard let module = words.first?.split(separator: ".").first else { return nil }
      self.module = String(module)
    }
  }

  /// Findings in a file under `Sources`.
  static func findings(in file: SwiftText) -> [Finding] {
    guard let target = file.target else { return [] }
    guard let allowed = allowed[target] else {
      return [Finding(path: file.path, line: 0, text: "room \(target) is unknown: add it to ImportRules.allowed")]
    }
    return file.code.enumerated().flatMap { index, line -> [Finding] in
      guard let statement = Statement(line) else { return [] }
      return faults(of: statement, in: target, allowed).map { file.finding(index, $0) }
    }
  }

  private static func faults(of statement: Statement, in target: String, _ allowed: Set<String>) -> [String] {
    var faults: [String] = []
    let module = statement.module
    if own.contains(module), !allowed.contains(module) {
      faults.append("\(target) must not import \(module): imports only point down, see Grid.docc/Architecture.md")
    }
    if target == "GridCore", !own.contains(module) {
      faults.append("GridCore must not import \(module): it has the standard library and nothing else")
    }
    if withoutFoundation.contains(target), foundation.contains(module), target != "GridCore" {
      faults.append("\(target) must not import \(module): use the standard library, NIO or Glibc")
    }
    if statement.level == nil {
      faults.append("import \(module) has no access level: write internal import, or public import for public API")
    }
    if statement.isExported, !["Grid", "GridClient"].contains(target) {
      faults.append("@_exported import \(module): only Grid and GridClient pass modules on to their users")
    }
    return faults
  }
}
