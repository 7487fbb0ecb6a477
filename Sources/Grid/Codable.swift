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

// MARK: Typed messages

/// What is `Codable` is JSON in a message.
extension MessageContent where Self: Codable {
  public static var contentType: ContentType { .json }
  public init(reading message: Message) throws(GridError) { self = try message.decode() }
  public func bytes() throws(GridError) -> [UInt8] { try Message(encoding: self).body }
}

/// A text is text: a shell sends it as it is. One that comes as JSON is read as such.
extension String: MessageContent {
  public static var contentType: ContentType { .text }
  public func bytes() -> [UInt8] { Array(utf8) }

  public init(reading message: Message) throws(GridError) {
    self = message.contentType == .json ? try message.decode() : message.text
  }
}

/// A list is JSON; a list of bytes is these bytes.
extension Array: ActorReply, MessageContent where Element: MessageContent & Codable {
  public static var contentType: ContentType { isBytes ? .bytes : .json }

  /// Asked first: an empty list of anything would pass for one of bytes.
  private static var isBytes: Bool { Element.self == UInt8.self }

  public init(reading message: Message) throws(GridError) {
    if Self.isBytes, let bytes = message.body as? Self { self = bytes } else { self = try message.decode() }
  }

  public func bytes() throws(GridError) -> [UInt8] {
    if Self.isBytes, let bytes = self as? [UInt8] { bytes } else { try Message(encoding: self).body }
  }
}

extension Dictionary: ActorReply, MessageContent where Key: MessageContent & Codable, Value: MessageContent & Codable {}
extension Optional: ActorReply, MessageContent where Wrapped: MessageContent & Codable {}
extension Bool: MessageContent {}
extension Int: MessageContent {}
extension Int32: MessageContent {}
extension Int64: MessageContent {}
extension UInt8: MessageContent {}
extension UInt32: MessageContent {}
extension UInt64: MessageContent {}
extension Double: MessageContent {}
