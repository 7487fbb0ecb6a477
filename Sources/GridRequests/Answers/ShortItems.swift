package import GridCore

/// What is read of an actor where only its name and place matter.
package struct ActorPlacement: FieldCoded, Equatable {
  package var name = ""
  package var kind = ""
  package var node = ""

  package init() {}

  package init(name: String, kind: String, node: String) {
    self.name = name
    self.kind = kind
    self.node = node
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("name", &name)
    try fields.value("kind", &kind)
    try fields.value("node", &node)
  }

  /// Appends its compact form.
  package func append(to bytes: inout [UInt8]) {
    ActorReport.appendPlacement(name: name, kind: kind, node: node, to: &bytes)
  }
}

/// What is read of a dead letter where only what it is matters.
package struct DeadLetterTitle: FieldCoded, Equatable {
  package var identifier = ""
  package var reason = ""
  package var target = ""

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("id", &identifier)
    try fields.value("reason", &reason)
    try fields.value("target", &target)
  }
}
