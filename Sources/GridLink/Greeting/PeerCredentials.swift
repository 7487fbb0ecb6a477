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

  /// The user of the process that has connected; nil when the kernel does not say.
  ///
  /// On the event loop of the channel, where its answer is there at once.
  static func user(of channel: any Channel) -> UInt32? {
    guard let socket = channel as? any SocketOptionProvider else { return nil }
    let answer: EventLoopFuture<Credentials> = socket.unsafeGetSocketOption(
      level: .socket, name: .init(rawValue: SO_PEERCRED))
    let user = NIOLoopBoundBox<UInt32?>(nil, eventLoop: channel.eventLoop)
    answer.whenSuccess { user.value = $0.user }
    return user.value
  }

  /// Why the process that has connected is refused: nil for one of our own user, and for root.
  static func objection(toUser user: UInt32?) -> GridError? {
    user == geteuid() || user == 0 ? nil : GridError(.refused, "the socket of a node is for the node's own user")
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
