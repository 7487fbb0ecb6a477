/// The numbers that both ends of a channel keep to.
package enum ChannelLimits {
  /// Bytes that a reader lets be under way, unless it says otherwise: they, and one item, bound what waits at it.
  package static let window = 256 * 1024
  /// The most bytes of one item, in all its parts.
  package static let itemBytes = LinkFrame.maximumPayloadBytes
  /// The most bytes of one part of an item. Longer items go in several, so that none holds up what is beside it.
  static let partBytes = 32 * 1024
  /// Bytes of all channels together that leave in one write, behind the messages that wait.
  static let roundBytes = 128 * 1024
  /// Bytes that wait at a writer which waits for credit: it goes on below them.
  static let sendBytes = 64 * 1024
  /// Bytes that wait at a writer which does not: beyond them it misses items.
  static let offerBytes = 4 * 1024 * 1024

  /// What a part takes of the credit: so even empty ones are counted.
  static func cost(_ part: [UInt8]) -> Int { part.count + 64 }
}
