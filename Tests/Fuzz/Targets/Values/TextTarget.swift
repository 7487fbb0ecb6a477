internal import FuzzSupport
internal import GridCore
internal import GridRequests

/// Small texts of many sorts: patterns, lengths of time, restarts, filters, base 64, and texts made fit to be shown.
let textTarget = FuzzTarget("texts") { bytes in
  let text = String(decoding: bytes, as: UTF8.self)
  // Close to the longest one, what is rounded may be longer.
  if let duration = Duration(gridText: text), duration < .seconds(3_000_000_000) {
    let shown = duration.gridText
    guard let again = Duration(gridText: shown) else { throw BrokenPromise("\(shown) is no length of time") }
    // A microsecond and the precision of a Double are what is shown.
    let difference = abs(again.inSeconds - duration.inSeconds)
    try promise(difference <= 1e-6 + abs(duration.inSeconds) * 1e-6, "\(text) is shown as \(shown)")
  }
  _ = try? RestartPolicy(parsing: text)
  if let decoded = Base64.decoded(text) {
    try promise(Base64.decoded(Base64.encoded(decoded)) == decoded, "base 64 is read as something else")
  }
  try promise(Base64.decoded(Base64.encoded(bytes)) == bytes, "bytes do not survive base 64")
  let shown = PrintableText.of(bytes, limit: 200)
  try promise(shown.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character is shown")
  let halves = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
  _ = NamePattern(halves[0]).matches(halves.last ?? "")
  _ = NameSimilarity.similar(to: String(text.prefix(100)), in: ["orders", "carts"])
  _ = NameRules.quoted(text)
}
