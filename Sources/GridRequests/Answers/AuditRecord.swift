package import GridCore

/// One line of an audit log: who asked for what, from where, and what became of it.
package struct AuditRecord: FieldCoded, Equatable, ListItem {
  package enum Result: String, Sendable, CaseIterable, FieldValue {
    /// It is carried out next.
    case begun
    case done
    /// It was carried out, or at least begun, and did not work.
    case failed
    /// The caller may not do it, or is nobody that is known here.
    case denied
    /// What the log says of itself.
    case noted
  }

  /// Counts the records of the node, from 1.
  package var sequence: Int64 = 0
  package var at = CalendarTime(millisecondsSince1970: 0)
  /// As `at`, but never less than that of the record before: the order stays that of the log when a clock is set back.
  package var order: Int64 = 0
  /// The node that the caller is connected to.
  package var node = ""
  package var verb = ""
  /// What it is about: names, identifiers, filters; no bodies, no arguments of programs, no secrets.
  package var subject = JSONValue.object([:])
  package var caller = Caller()
  package var result = Result.noted
  /// The number of the record that says that it began.
  package var begunAs: Int64?
  /// Why it did not work.
  package var code: String?
  package var message: String?
  /// In the first record of a file: the hash of the last one of the file before.
  package var previous: String?
  /// Of the record before, and of this one without its hash.
  package var hash: String?

  package init() {}

  package init(
    _ verb: String, _ subject: JSONValue, _ caller: Caller, _ result: Result, begunAs: Int64? = nil,
    error: GridError? = nil
  ) {
    self.verb = verb
    self.subject = subject
    self.caller = caller
    // Said by its role already.
    self.caller.readsBodies = false
    self.result = result
    self.begunAs = begunAs
    code = error?.code.label
    message = error.flatMap { $0.message.isEmpty ? nil : $0.message }
  }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("seq", &sequence)
    fields.shown("at", .string(at.rfc3339))
    try fields.milliseconds("atMilliseconds", &at)
    try fields.value("order", &order)
    try fields.value("node", &node)
    try fields.required("verb", &verb)
    try fields.value("subject", &subject)
    try fields.object("caller", &caller)
    try fields.value("result", &result)
    try fields.optional("begunAs", &begunAs)
    try fields.optional("code", &code)
    try fields.optional("message", &message)
    try fields.optional("previous", &previous)
    try fields.optional("hash", &hash)
  }

  package static func key(of item: JSONValue) -> String {
    let order = Self.padded(item["order"]?.integerValue ?? 0)
    return "\(order) \(item.text("node")) \(Self.padded(item["seq"]?.integerValue ?? 0))"
  }

  /// So that texts are in the order of their numbers.
  private static func padded(_ number: Int64) -> String {
    let digits = String(max(0, number))
    return String(repeating: "0", count: 19 - digits.count) + digits
  }
}

/// Which records are wanted.
package struct AuditFilter: FieldCoded, Equatable {
  package var since: CalendarTime?
  /// With `*` and `?`.
  package var verb: String?
  /// Of the caller's name, with `*` and `?`.
  package var caller: String?
  package var result: AuditRecord.Result?

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.milliseconds("sinceMilliseconds", &since)
    try fields.optional("verb", &verb)
    try fields.optional("callerName", &caller)
    try fields.optional("result", &result)
  }

  package func matches(_ record: AuditRecord) -> Bool {
    if let since, record.at < since { return false }
    if let verb, !NamePattern(verb).matches(record.verb) { return false }
    if let caller, !NamePattern(caller).matches(record.caller.name) { return false }
    return result == nil || result == record.result
  }
}

/// What a node has found in one audit log.
package struct AuditVerdict: FieldCoded, Equatable {
  /// Whose log it is.
  package var node = ""
  package var records = 0
  package var files = 0
  /// Where the chain breaks, and how; nil when it is whole.
  package var file: String?
  package var line: Int?
  package var problem: String?

  package init() {}

  package var isWhole: Bool { problem == nil }

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("node", &node)
    try fields.value("records", &records)
    try fields.value("files", &files)
    fields.shown("ok", .bool(isWhole))
    try fields.nullable("file", &file)
    try fields.nullable("line", &line)
    try fields.nullable("problem", &problem)
  }
}

/// What all nodes have found.
package struct AuditVerdicts: FieldCoded, Equatable {
  package var verdicts: [AuditVerdict] = []
  package var missing: [MissingNode] = []

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.objects("verdicts", &verdicts)
    try fields.objects("missing", &missing)
  }
}
