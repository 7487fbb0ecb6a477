internal import Foundation
public import GridActors
public import GridCore

extension Message {
  /// A message whose body is `value` as JSON.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when the value cannot be encoded.
  public init(encoding value: some Encodable, type: String = "") throws(GridError) {
    do {
      self.init(body: Array(try JSONEncoder().encode(value)), contentType: .json, type: type)
    } catch {
      throw GridError(.undecodable, "the value cannot be written as JSON", cause: error)
    }
  }

  /// The body, read as JSON.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when it is not JSON, or not of that type.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws(GridError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(body))
    } catch {
      throw GridError(.undecodable, "the body is no \(type)", cause: error)
    }
  }
}

extension ActorContext {
  /// Answers the sender with `value` as JSON.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when the value cannot be encoded.
  public func reply(_ value: some Encodable) throws(GridError) { reply(try Message(encoding: value)) }
}
