internal import FuzzSupport
internal import GridCore

@testable internal import GridCluster

/// What stands in the coordination store, whoever put it there: a record is one of ours under its own name, or none.
let recordTarget = FuzzTarget("records") { bytes in
  var input = FuzzBytes(bytes)
  let isNamed = input.flag()
  let key = String(decoding: input.take(Int(input.byte())), as: UTF8.self)
  let value = input.remainder()
  try check(NodeRecord.self, key, value, isNamed) { $0.json }
  try check(ActorRecord.self, key, value, isNamed) { $0.json }
  try check(LeaderRecord.self, key, value, isNamed) { $0.json }
  try check(RunRecord.self, key, value, isNamed) { $0.json }
}

private func check<Record: StoredRecord & Equatable>(
  _ type: Record.Type, _ key: String, _ value: [UInt8], _ isNamed: Bool, _ json: (Record) -> JSONValue
) throws {
  let prefix = "/gridctl/shop/"
  let named = isNamed ? (try? JSONValue(parsing: value))?["name"]?.stringValue ?? key : key
  let entry = StoreEntry(key: prefix + named, value: value, createRevision: 1, modifyRevision: 2, lease: 3)
  guard let record = Record(entry, under: prefix) else { return }
  try promise(record.name.utf8.elementsEqual(named.utf8), "\(type) under another name than its own")
  try promise(NameRules.isValid(record.name), "\(type) with a name that nobody may have")
  let again = StoreEntry(
    key: entry.key, value: json(record).serialized(), createRevision: 1, modifyRevision: 2, lease: 3)
  try promise(Record(again, under: prefix) == record, "\(type) is another one once it was written")
  if let run = record as? RunRecord {
    _ = run.counts(for: .seconds(60), at: CalendarTime(millisecondsSince1970: 1_700_000_000_000))
  }
}
