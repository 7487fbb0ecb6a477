package import GridCore

/// A value that stands under one key of a JSON object: of a request, an answer, or an item of a stream.
package protocol FieldValue: Sendable {
  /// What it is called in an error: `text`, `a number`, …
  static var noun: String { get }
  init?(json: JSONValue)
  var json: JSONValue { get }
}

extension String: FieldValue {
  package static var noun: String { "text" }

  package init?(json: JSONValue) {
    guard let text = json.stringValue else { return nil }
    self = text
  }

  package var json: JSONValue { .string(self) }
}

extension Bool: FieldValue {
  package static var noun: String { "true or false" }

  package init?(json: JSONValue) {
    guard let value = json.boolValue else { return nil }
    self = value
  }

  package var json: JSONValue { .bool(self) }
}

extension Int64: FieldValue {
  package static var noun: String { "a whole number" }

  package init?(json: JSONValue) {
    guard let value = json.integerValue else { return nil }
    self = value
  }

  package var json: JSONValue { .integer(self) }
}

extension Int: FieldValue {
  package static var noun: String { Int64.noun }

  package init?(json: JSONValue) {
    guard let value = json.integerValue else { return nil }
    self.init(clamping: value)
  }

  package var json: JSONValue { .integer(Int64(self)) }
}

extension Double: FieldValue {
  package static var noun: String { "a number" }

  package init?(json: JSONValue) {
    guard let value = json.doubleValue else { return nil }
    self = value
  }

  package var json: JSONValue { .number(self) }
}

extension JSONValue: FieldValue {
  package static var noun: String { "JSON" }

  package init?(json: JSONValue) { self = json }

  package var json: JSONValue { self }
}

extension Array: FieldValue where Element: FieldValue {
  package static var noun: String { "a list" }

  package init?(json: JSONValue) {
    guard let values = json.arrayValue else { return nil }
    let elements = values.compactMap { Element(json: $0) }
    guard elements.count == values.count else { return nil }
    self = elements
  }

  package var json: JSONValue { .array(map(\.json)) }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
  package static var noun: String { "an object" }

  package init?(json: JSONValue) {
    guard let members = json.objectValue else { return nil }
    let values = members.compactMapValues { Value(json: $0) }
    guard values.count == members.count else { return nil }
    self = values
  }

  package var json: JSONValue { .object(mapValues(\.json)) }
}

extension FieldValue where Self: RawRepresentable, RawValue == String, Self: CaseIterable {
  package static var noun: String { "one of \(allCases.map(\.rawValue).joined(separator: ", "))" }

  package init?(json: JSONValue) {
    guard let value = json.stringValue.flatMap({ Self(rawValue: $0) }) else { return nil }
    self = value
  }

  package var json: JSONValue { .string(rawValue) }
}
