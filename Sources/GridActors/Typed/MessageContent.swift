public import GridCore

/// A value that is sent as a message, or comes back as a reply.
///
/// Whatever is `Codable` conforms by saying so, and is JSON on the wire; `String`, `Bool`, numbers, arrays,
/// dictionaries and optionals of such are messages already. Between actors of one process the value itself is handed
/// over; it becomes bytes where it goes to another node, into a dead letter or a trace.
///
/// ```swift
/// struct Order: Codable, MessageContent {
///   var customer: String
///   var pieces: Int
/// }
/// ```
public protocol MessageContent: ActorReply where Content == Self {
  /// How the bytes are to be read.
  static var contentType: ContentType { get }

  /// The name that dead letters and traces show for it (`Order`); empty unless a type says otherwise.
  static var messageType: String { get }

  /// Reads the value from a message.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when it is none.
  init(reading message: Message) throws(GridError)

  /// The value as the bytes of a body.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when it cannot be written.
  func bytes() throws(GridError) -> [UInt8]
}

extension MessageContent {
  public static var messageType: String { "" }

  /// A reply that is there at once.
  public func answer(_ context: ActorContext) {
    if context.isAsked { context.reply(Message(carrying: self)) }
  }

  /// The value of a message: the one that it carries, or what its bytes say.
  package static func taken(from message: Message) throws(GridError) -> Self {
    if let carried = message.carried as? CarriedContent<Self> { return carried.content }
    return try Self(reading: message)
  }
}

/// The reply of a handler: a value, or one that comes ``Later``.
public protocol ActorReply: Sendable {
  /// What the sender gets.
  associatedtype Content: MessageContent

  /// Has the sender of the message get it. The node calls it with what a handler has returned.
  func answer(_ context: ActorContext)
}

/// The reply of handlers that have nothing to say; whoever asks is told that the message was handled.
public struct NoReply: MessageContent {
  public static var contentType: ContentType { .bytes }

  public init() {}
  public init(reading message: Message) {}
  public func bytes() -> [UInt8] { [] }
}

/// A reply that comes when the handler has returned long since; made by ``ActorContext/later(_:)``.
///
/// Copies are one reply: the first answer counts. When the last copy is gone without one, the sender is told so; at its
/// deadline the sender goes, and what is answered then is for nobody.
///
/// ```swift
/// struct Gate: TypedActor {
///   var waiting: [Later<String>] = []
///
///   mutating func receive(_ name: String, _ context: ActorContext) -> Later<String> {
///     let reply = context.later(String.self)
///     waiting.append(reply)
///     if waiting.count == 3 { for reply in waiting { reply.give("go") } }
///     return reply
///   }
/// }
/// ```
public struct Later<Content: MessageContent>: ActorReply {
  let context: ActorContext

  /// Answers the sender. Does nothing for a sender who does not wait.
  public func give(_ content: Content) { content.answer(context) }

  /// Answers the sender with an error.
  public func fail(_ error: GridError) { context.fail(error) }

  /// Nothing: it is answered when it is answered.
  public func answer(_ context: ActorContext) {}
}

/// A value on its way between actors of one process.
package final class CarriedContent<Content: MessageContent>: CarriedValue {
  let content: Content

  init(_ content: Content) { self.content = content }

  package func written() throws(GridError) -> [UInt8] { try content.bytes() }
}

extension Message {
  /// A message that carries the value itself for as long as it stays in this process.
  package init<Content: MessageContent>(carrying content: Content) {
    self.init(
      carrying: CarriedContent(content), contentType: Content.contentType, type: Content.messageType)
  }
}
