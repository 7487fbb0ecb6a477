package import GridCore

/// The members of one JSON object, read or written by the same function of a type, so that both ways cannot disagree.
///
/// A member that is missing, or null, leaves the value as it is; one of another sort is an error. Members that nobody
/// asks for are passed over: an older node understands a newer client as far as it can.
package struct Fields: Sendable {
  private let read: [String: JSONValue]?
  package private(set) var written: [String: JSONValue] = [:]

  package init(reading json: JSONValue) throws(GridError) {
    guard let members = json.objectValue else { throw GridError(.undecodable, "a JSON object was expected") }
    read = members
  }

  private init() { read = nil }

  /// None yet: they are written.
  package static var writing: Fields { Fields() }

  package var isReading: Bool { read != nil }

  // MARK: Members

  /// Always there; `value` is what stands for it when it is not.
  package mutating func value<Value: FieldValue>(_ key: String, _ value: inout Value) throws(GridError) {
    if let read {
      if let found: Value = try Self.found(key, in: read) { value = found }
    } else {
      written[key] = value.json
    }
  }

  /// An error when it is missing.
  package mutating func required<Value: FieldValue>(_ key: String, _ value: inout Value) throws(GridError) {
    if let read {
      guard let found: Value = try Self.found(key, in: read) else {
        throw GridError(.undecodable, "the request lacks \(key)")
      }
      value = found
    } else {
      written[key] = value.json
    }
  }

  /// Left out when there is none.
  package mutating func optional<Value: FieldValue>(_ key: String, _ value: inout Value?) throws(GridError) {
    if let read {
      if let found: Value = try Self.found(key, in: read) { value = found }
    } else if let value {
      written[key] = value.json
    }
  }

  /// Null when there is none: what people read has the same keys each time.
  package mutating func nullable<Value: FieldValue>(_ key: String, _ value: inout Value?) throws(GridError) {
    if let read {
      if let found: Value = try Self.found(key, in: read) { value = found }
    } else {
      written[key] = value?.json ?? .null
    }
  }

  /// Left out while it is false, or has no elements.
  package mutating func flag(_ key: String, _ value: inout Bool) throws(GridError) {
    if read != nil || value { try self.value(key, &value) }
  }

  package mutating func list<Element: FieldValue>(_ key: String, _ value: inout [Element]) throws(GridError) {
    if read != nil || !value.isEmpty { try self.value(key, &value) }
  }

  private static func found<Value: FieldValue>(
    _ key: String, in members: [String: JSONValue]
  ) throws(GridError) -> Value? {
    guard let json = members[key], json != .null else { return nil }
    guard let value = Value(json: json) else {
      throw GridError(.undecodable, "\(key) must be \(Value.noun)")
    }
    return value
  }

  /// Bytes, in base64; an error when they are missing.
  package mutating func bytes(_ key: String, _ value: inout [UInt8]) throws(GridError) {
    var text = Base64.encoded(value)
    try required(key, &text)
    guard isReading else { return }
    guard let bytes = Base64.decoded(text) else { throw GridError(.undecodable, "\(key) must be base64") }
    value = bytes
  }

  // MARK: Objects

  package mutating func object<Value: JSONCoded>(_ key: String, _ value: inout Value) throws(GridError) {
    if let read {
      if let json = read[key], json != .null { value = try Value(json: json) }
    } else {
      written[key] = value.json
    }
  }

  package mutating func optionalObject<Value: JSONCoded>(
    _ key: String, _ value: inout Value?, writesNull: Bool = false
  ) throws(GridError) {
    if let read {
      if let json = read[key], json != .null { value = try Value(json: json) }
    } else if let value {
      written[key] = value.json
    } else if writesNull {
      written[key] = .null
    }
  }

  package mutating func objects<Value: JSONCoded>(_ key: String, _ values: inout [Value]) throws(GridError) {
    if let read {
      guard let json = read[key], json != .null else { return }
      guard let elements = json.arrayValue else { throw GridError(.undecodable, "\(key) must be a list") }
      var found: [Value] = []
      found.reserveCapacity(elements.count)
      for element in elements { found.append(try Value(json: element)) }
      values = found
    } else {
      written[key] = .array(values.map(\.json))
    }
  }

  /// Of a type that stands among the members of this object rather than under a key of its own.
  package mutating func inline<Value: FieldCoded>(_ value: inout Value) throws(GridError) {
    try value.code(&self)
  }

  /// What is there beside the members in `known`, or is written beside them.
  package mutating func rest(_ members: inout [String: JSONValue], known: Set<String>) {
    if let read {
      members = read.filter { !known.contains($0.key) }
    } else {
      written.merge(members) { field, _ in field }
    }
  }

  /// Of a type that brings its own codec over a whole object: its members stand among those of this one.
  package mutating func whole<Value: JSONCoded>(_ value: inout Value) throws(GridError) {
    if let read {
      value = try Value(json: .object(read))
    } else {
      written.merge(value.json.objectValue ?? [:]) { field, _ in field }
    }
  }

  // MARK: Time

  package mutating func milliseconds(_ key: String, _ value: inout Duration?) throws(GridError) {
    var number = value.map { $0.wholeNanoseconds / 1_000_000 }
    try optional(key, &number)
    value = number.map { .milliseconds($0) }
  }

  package mutating func microseconds(_ key: String, _ value: inout Duration) throws(GridError) {
    var number = value.wholeNanoseconds / 1000
    try self.value(key, &number)
    value = .microseconds(number)
  }

  package mutating func milliseconds(_ key: String, _ value: inout CalendarTime?) throws(GridError) {
    var number = value?.millisecondsSince1970
    try optional(key, &number)
    value = number.map { CalendarTime(millisecondsSince1970: $0) }
  }

  package mutating func milliseconds(_ key: String, _ value: inout CalendarTime) throws(GridError) {
    var number = value.millisecondsSince1970
    try self.value(key, &number)
    value = CalendarTime(millisecondsSince1970: number)
  }

  /// For people, beside a member for programs: written only.
  package mutating func shown(_ key: String, _ value: @autoclosure () -> JSONValue) {
    if read == nil { written[key] = value() }
  }
}

/// A type that makes JSON of itself, and itself of JSON.
package protocol JSONCoded: Sendable {
  init(json: JSONValue) throws(GridError)
  var json: JSONValue { get }
}

/// A type whose JSON keys stand in one function.
package protocol FieldCoded: JSONCoded {
  /// Blank: what its members are when the object has none.
  init()
  /// Reads the members out of `fields`, or writes them.
  mutating func code(_ fields: inout Fields) throws(GridError)
}

extension FieldCoded {
  /// Throws ``GridError`` with code `undecodable` when a member is missing or of another sort.
  package init(json: JSONValue) throws(GridError) {
    self.init()
    var fields = try Fields(reading: json)
    try code(&fields)
  }

  package var json: JSONValue {
    var copy = self
    var fields = Fields.writing
    // Only what is read can be wrong.
    try? copy.code(&fields)
    return .object(fields.written)
  }
}
