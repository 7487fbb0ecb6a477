internal import Glibc
internal import GridCore
internal import NIOCore

/// Who is at the other end of a Unix socket, as the kernel says (`SO_PEERCRED`, unix(7)).
enum PeerCredentials {
  /// `struct ucred`, which the C library shows to C alone.
  private struct Credentials: Sendable {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
  }

  /// The groups of a process beside its first one, 0 behind the last. One that has more is known by its first.
  private struct Groups: Sendable {
    var numbers = InlineArray<1024, UInt32>(repeating: 0)
  }

  private static let peerGroups: CInt = 59  // SO_PEERGROUPS, which the C library does not name here.

  /// The user of the process that has connected; nil when the kernel does not say.
  ///
  /// On the event loop of the channel, where its answer is there at once.
  static func user(of channel: any Channel) -> UInt32? { credentials(of: channel)?.user }

  private static func credentials(of channel: any Channel) -> Credentials? { option(SO_PEERCRED, of: channel) }

  private static func option<Value: Sendable>(_ name: CInt, of channel: any Channel) -> Value? {
    guard let socket = channel as? any SocketOptionProvider else { return nil }
    let answer: EventLoopFuture<Value> = socket.unsafeGetSocketOption(level: .socket, name: .init(rawValue: name))
    let value = NIOLoopBoundBox<Value?>(nil, eventLoop: channel.eventLoop)
    answer.whenSuccess { value.value = $0 }
    return value.value
  }

  /// Whether the process that has connected is in the group.
  private static func isMember(_ channel: any Channel, of group: UInt32) -> Bool {
    guard group != 0 else { return false }
    if credentials(of: channel)?.group == group { return true }
    guard let groups: Groups = option(peerGroups, of: channel) else { return false }
    return groups.numbers.indices.contains { groups.numbers[$0] == group }
  }

  /// How another user comes in.
  static let hintToOthers =
    "ask that user for a token or a certificate, and come over HOST:PORT; or for a node with --admin-group GROUP"

  /// Why the process that has connected is refused: nil for one of our own user, for root, and for one of the group
  /// that is let in.
  static func objection(toUser user: UInt32?, of channel: any Channel, letting group: UInt32?) -> GridError? {
    if user == geteuid() || user == 0 { return nil }
    guard let group else {
      return GridError(.refused, "the socket of a node is for the node's own user", hint: hintToOthers)
    }
    if user != nil, isMember(channel, of: group) { return nil }
    return GridError(
      .refused, "the socket of this node is for the node's own user and for group \(group)",
      hint: "whoever was put into the group has to log in again")
  }
}

extension LinkAddress {
  /// How it is known who is at the other end.
  var trust: LinkTrust {
    switch self {
    case .unix: .kernel
    case .tcp: .proof
    }
  }
}
