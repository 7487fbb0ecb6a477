internal import FuzzSupport
internal import GridCore
internal import GridRequests

/// Bytes as JSON: what is accepted is the same value once it was written, in either form, and the scanner, which makes
/// no values, agrees on where it ends.
let jsonTarget = FuzzTarget("json") { bytes in
  var scanner = JSONScanner(bytes)
  scanner.skipSpace()
  let isScanned = (try? scanner.skipValue(depth: 0)) != nil && (try? scanner.end()) != nil
  guard let value = try? JSONValue(parsing: bytes) else {
    _ = try? RowPage(parsing: bytes)
    return
  }
  try promise(isScanned, "the scanner refuses what the parser takes")
  let written = value.serialized()
  try promise((try? JSONValue(parsing: written)) == value, "\(value.text) is another value once it was written")
  try promise((try? JSONValue(parsing: value.indented())) == value, "\(value.text) is another value for people")
  try promise(written.count <= value.serializedBytes, "\(value.text) is longer than was reckoned")
  try promise(!written.contains(0x0A), "\(value.text) is no line")
  try checkPage(bytes)
}

/// A page of a list: each row is a value by itself, with the name that the page says.
private func checkPage(_ bytes: [UInt8]) throws {
  guard let page = try? RowPage(parsing: bytes) else { return }
  for row in page.rows where row.isPlain {
    guard let json = try? page.json(of: row), let name = json["name"]?.stringValue else { continue }
    try promise(name.utf8.elementsEqual(page.name(of: row)), "a row has another name than its page says")
  }
  _ = page.lastKey
}
