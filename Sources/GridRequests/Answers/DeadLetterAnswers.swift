package import GridCore

extension DeadLetter: ListItem {
  package static func key(of item: JSONValue) -> String { item.text("id") }
}

/// A letter as it stands in an answer: its body may have been left out, and is fetched in parts then.
package struct ListedDeadLetter: JSONCoded, Equatable {
  package let json: JSONValue

  package init(json: JSONValue) { self.json = json }

  package var isBodyLeftOut: Bool { json["bodyLeftOut"]?.boolValue ?? false }

  /// - Throws: ``GridError/Code/undecodable``.
  package func letter() throws(GridError) -> DeadLetter { try DeadLetter(json: json) }
}

/// A part of the body of a dead letter that was too long for a list.
package struct DeadLetterPart: FieldCoded, Equatable {
  package var part: [UInt8] = []
  package var bodyBytes = 0

  package init() {}

  package init(part: [UInt8], bodyBytes: Int) {
    self.part = part
    self.bodyBytes = bodyBytes
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    var text = fields.isReading ? "" : Base64.encoded(part)
    try fields.value("part", &text)
    try fields.value("bodyBytes", &bodyBytes)
    guard fields.isReading else { return }
    guard let bytes = Base64.decoded(text) else { throw GridError(.undecodable, "part is no base 64") }
    part = bytes
  }
}

/// The node whose log has a letter.
package struct DeadLetterHolder: FieldCoded, Equatable {
  package var node = ""

  package init() {}
  package init(node: String) { self.node = node }

  package mutating func code(_ fields: inout Fields) throws(GridError) { try fields.value("holder", &node) }
}

/// How many dead letters one node keeps.
package struct DeadLetterTally: FieldCoded, Equatable, ListItem {
  package var node = ""
  /// The node has gone; its letters are still read.
  package var isGone: Bool?
  /// The node has gone, and its letters lie where no other node can read them.
  package var isOutOfReach = false
  package var kept = 0
  package var folded: Int?
  package var dropped: Int?
  package var bytes: Int?

  package init() {}

  package init(node: String, isGone: Bool, _ counts: DeadLetterCounts) {
    self.node = node
    self.isGone = isGone
    (kept, folded, dropped, bytes) = (counts.kept, counts.folded, counts.dropped, counts.bytes)
  }

  package init(outOfReach node: String, kept: Int) {
    self.node = node
    self.kept = kept
    isOutOfReach = true
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("node", &node)
    try fields.optional("isGone", &isGone)
    try fields.flag("isOutOfReach", &isOutOfReach)
    try fields.value("kept", &kept)
    try fields.optional("folded", &folded)
    try fields.optional("dropped", &dropped)
    try fields.optional("bytes", &bytes)
  }

  package static func key(of item: JSONValue) -> String { item.text("node") }
}

package struct PurgedDeadLetters: FieldCoded, Equatable {
  package var removed: Int64 = 0
  package var missing: [MissingNode] = []

  package init() {}

  package init(removed: Int64, missing: [MissingNode]) {
    self.removed = removed
    self.missing = missing
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("removed", &removed)
    try fields.objects("missing", &missing)
  }
}

package struct ReplayedDeadLetter: FieldCoded, Equatable {
  package var identifier = ""
  package var replayedAs = ""
  package var target = ""

  package init() {}

  package init(identifier: String, replayedAs: String, target: String) {
    self.identifier = identifier
    self.replayedAs = replayedAs
    self.target = target
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("id", &identifier)
    try fields.value("replayedAs", &replayedAs)
    try fields.value("target", &target)
  }
}
