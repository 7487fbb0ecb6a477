internal import FuzzSupport
internal import GridCore
internal import Yams

@testable internal import GridCommands

/// A JSON value as it is printed in YAML: read by others as the same value.
let yamlTarget = FuzzTarget("yaml") { bytes in
  // Yams leaves byte order marks out of what it reads, wherever they stand.
  guard let value = try? JSONValue(parsing: bytes), !value.text.unicodeScalars.contains("\u{FEFF}") else { return }
  let text = YAMLEmitter.document(value)
  guard let node = try? compose(yaml: text) else { throw BrokenPromise("what was printed is no YAML: \(text)") }
  try promise(isSame(node, value), "\(value.text) is printed as \(text)")
}

private func isSame(_ node: Node, _ value: JSONValue) -> Bool {
  switch value {
  case .null: node.null != nil
  case .bool(let flag): node.bool == flag
  // What a number is read as is for whoever reads it.
  case .integer, .number, .decimal: node.scalar != nil
  case .string(let text): node.scalar.map { $0.string.utf8.elementsEqual(text.utf8) } ?? false
  case .array(let elements):
    node.sequence.map { $0.count == elements.count && zip($0, elements).allSatisfy { isSame($0, $1) } } ?? false
  case .object(let members):
    node.mapping.map { mapping in
      mapping.count == members.count
        && mapping.allSatisfy { key, value in
          guard let key = key.scalar?.string, let expected = members[key] else { return false }
          return isSame(value, expected)
        }
    } ?? false
  }
}
