internal import Glibc
internal import Grid
internal import GridCore

/// The names of the last look, in a file: for a TAB that comes while the cluster does not answer.
struct NameCache: Sendable {
  /// The file; nil where there is no place for one.
  let path: String?
  let clock: any GridClock

  /// Older names are not offered.
  static let longestAge = Duration.seconds(60)
  /// More are not kept.
  private static let limit = 2000

  /// One file for each context, so that names of one cluster are never offered for another.
  init(environment: [String: String], key: String, clock: any GridClock) {
    let base =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["HOME"].map { $0 + "/.cache" }
    let safe = String(
      key.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }.prefix(100))
    path = base.map { "\($0)/gridctl/names-\(safe).json" }
    self.clock = clock
  }

  func read(_ noun: CompletionNoun) -> [CompletionName] {
    guard let entry = document()[noun.rawValue], let at = entry["at"]?.integerValue else { return [] }
    let age = clock.date().millisecondsSince1970.subtractingClamped(at)
    guard age >= 0, age <= Self.longestAge.wholeNanoseconds / 1_000_000 else { return [] }
    return (entry["names"]?.arrayValue ?? []).compactMap { item in
      item["name"]?.stringValue.map { CompletionName($0, detail: item["detail"]?.stringValue ?? "") }
    }
  }

  /// Replaces the names of a noun; a failure costs nothing but the names.
  func write(_ noun: CompletionNoun, _ names: [CompletionName]) {
    guard let path else { return }
    let entry: JSONValue = [
      "at": .integer(clock.date().millisecondsSince1970),
      "names": .array(names.prefix(Self.limit).map { ["name": .string($0.name), "detail": .string($0.detail)] }),
    ]
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    guard (try? PrivateDirectory.make(directory)) != nil else { return }
    try? PrivateFile.replace(path, with: document().with(noun.rawValue, entry).serialized())
  }

  private func document() -> JSONValue {
    guard let path, let bytes = try? Payload.file(path, limit: 4 << 20) else { return [:] }
    return (try? JSONValue(parsing: bytes)) ?? [:]
  }
}
