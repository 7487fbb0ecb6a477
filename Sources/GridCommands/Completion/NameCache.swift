internal import Glibc
internal import GridCore
internal import GridSystem

/// The names of the last look, in a file: for a TAB that comes while the cluster does not answer.
///
/// One file for each cluster as it was asked: names of one are never offered for another, whatever both are called.
struct NameCache: Sendable {
  /// The file; nil where there is no place for one.
  let path: String?
  /// What was asked: context, namespace and endpoints.
  private let cluster: String
  let clock: any GridClock

  /// Older names are not offered.
  static let longestAge = Duration.seconds(60)
  /// More are not kept.
  private static let limit = 2000

  init(environment: [String: String], settings: Settings, clock: any GridClock) {
    let name = settings.context?.name ?? settings.namespace
    // Without endpoints it is whichever node listens in this place.
    let places = settings.endpoints.isEmpty ? ["unix:" + settings.directories.runtime] : settings.endpoints
    self.init(
      environment: environment, name: name,
      cluster: ([settings.context?.name ?? "", settings.namespace] + places).joined(separator: "\n"), clock: clock)
  }

  /// - Parameters:
  ///   - name: for people who look at the files.
  ///   - cluster: what tells one from another.
  init(environment: [String: String], name: String, cluster: String, clock: any GridClock) {
    self.cluster = cluster
    let base =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["HOME"].map { $0 + "/.cache" }
    let safe = String(
      name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }.prefix(100))
    path = base.map { "\($0)/gridctl/names-\(safe)-\(Self.digest(cluster)).json" }
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
  ///
  /// - Parameter prefix: those that begin with it were looked for: others that are known stay, as long as they would
  ///   have without it.
  func write(_ noun: CompletionNoun, _ names: [CompletionName], prefix: String = "") {
    guard let path else { return }
    let others = prefix.isEmpty ? [] : read(noun).filter { !$0.name.hasPrefix(prefix) }
    let before = others.isEmpty ? nil : document()[noun.rawValue]?["at"]
    let entry: JSONValue = [
      "at": before ?? .integer(clock.date().millisecondsSince1970),
      "names": .array(
        (names + others).prefix(Self.limit).map { ["name": .string($0.name), "detail": .string($0.detail)] }),
    ]
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    guard (try? PrivateDirectory.make(directory)) != nil else { return }
    let document = document().with(noun.rawValue, entry).with("cluster", .string(cluster))
    try? PrivateFile.replace(path, with: document.serialized())
  }

  private func document() -> JSONValue {
    guard let path, let bytes = try? UserFile.read(path, as: .record(limit: 4 << 20)) else { return [:] }
    // A digest may be that of two clusters.
    guard let document = try? JSONValue(parsing: bytes), document["cluster"]?.stringValue == cluster else { return [:] }
    return document
  }

  /// Sixteen digits that are the same in every process (FNV-1a, 64 bits).
  private static func digest(_ text: String) -> String {
    let sum = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    return TerminalText.hexadecimal(UInt32(truncatingIfNeeded: sum >> 32), digits: 8)
      + TerminalText.hexadecimal(UInt32(truncatingIfNeeded: sum), digits: 8)
  }
}
