internal import GridCore

/// What stands in the coordination store under a name of its own.
protocol StoredRecord {
  var name: String { get }
  init(json: JSONValue) throws(GridError)
}

extension NodeRecord: StoredRecord {}
extension ActorRecord: StoredRecord {}
extension LeaderRecord: StoredRecord {}
extension RunRecord: StoredRecord {}

extension StoredRecord {
  /// The record of an entry.
  ///
  /// - Parameter prefix: what the keys of such records begin with.
  /// - Returns: nil for what is no record, and for one that stands under another name than its own: nobody of ours has
  ///   written it, and who asks for the one name must not be led to the other.
  init?(_ entry: StoreEntry, under prefix: String) {
    guard let json = try? JSONValue(parsing: entry.value), let record = try? Self(json: json),
      NameRules.isValid(record.name), entry.key.utf8.elementsEqual((prefix + record.name).utf8)
    else { return nil }
    self = record
  }
}
