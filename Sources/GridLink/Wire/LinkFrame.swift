package import GridCore

/// One frame of the link protocol; described for other languages in `LINK.md` and `link.proto` beside this file.
package enum LinkFrame: Sendable, Equatable {
  case hello(LinkGreeting)
  case welcome(LinkGreeting)
  /// The other side will not talk to us, and why. The connection closes after it.
  case refusal(GridError)
  /// Random bytes of the acceptor, which the proofs on this connection cover.
  case challenge([UInt8])
  /// That its sender knows the secret of the namespace.
  case proof([UInt8])
  case ping(UInt64)
  case pong(UInt64)
  /// The sender leaves in good order; nothing follows.
  case goodbye(String)
  case message(MessageFrame)
  case accepted(UInt64)
  case reply(UInt64, Message)
  case failure(UInt64, GridError)
  case cancel(UInt64)
  case credit(target: String, bytes: UInt64)
  case request(RequestFrame)
  /// A part of an item of a channel.
  case data(UInt64, [UInt8], hasMore: Bool)
  /// So many bytes more may come over a channel.
  case grant(UInt64, UInt64)
  /// The writer of a channel has ended it; nil in good order.
  case close(UInt64, GridError?)
  case signal(LinkSignal)
  /// A kind of frame that a newer peer sends and we do not know; it is skipped.
  case unknown(UInt8)
}

/// What one node tells another without being asked: a small frame that has no answer.
package enum LinkSignal: Sendable, Equatable {
  /// Nothing of that address runs here, where it was looked for; it was last heard of there, or nowhere.
  case moved(address: String, to: Location?)
  /// One that a newer peer sends; it is skipped.
  case unknown
}

/// A tell or an ask on the wire.
package struct MessageFrame: Sendable, Equatable {
  package var target: String
  package var message: Message
  package var sender: String
  package var expectation: Envelope.Expectation
  package var waitsForRoom: Bool
  /// 0 when nothing is expected.
  package var correlation: UInt64
  /// How long an answer is wanted, in microseconds; 0 means without end.
  package var remainingMicroseconds: UInt64

  package init(
    target: String, message: Message, sender: String, expectation: Envelope.Expectation, waitsForRoom: Bool,
    correlation: UInt64, remainingMicroseconds: UInt64
  ) {
    self.target = target
    self.message = message
    self.sender = sender
    self.expectation = expectation
    self.waitsForRoom = waitsForRoom
    self.correlation = correlation
    self.remainingMicroseconds = remainingMicroseconds
  }
}

/// A control request: a verb and JSON arguments. Answered by one `reply`, or over a channel, or by a `failure`.
package struct RequestFrame: Sendable, Equatable {
  package var correlation: UInt64
  package var verb: String
  package var arguments: [UInt8]
  package var remainingMicroseconds: UInt64
  /// Bytes that the answer may have at first, over a channel; 0 when one reply is wanted.
  package var credit: UInt64

  package init(
    correlation: UInt64, verb: String, arguments: [UInt8], remainingMicroseconds: UInt64, credit: UInt64 = 0
  ) {
    self.correlation = correlation
    self.verb = verb
    self.arguments = arguments
    self.remainingMicroseconds = remainingMicroseconds
    self.credit = credit
  }
}

/// What both sides say of themselves first.
package struct LinkGreeting: Sendable, Equatable {
  package var major: UInt64
  package var minor: UInt64
  package var namespace: String
  package var role: Role
  /// The node's name; for a client something readable for logs.
  package var name: String
  package var incarnation: Int64
  /// Where the node can be dialled; empty for a client.
  package var address: String
  /// The program's version, for people.
  package var version: String
  /// Random bytes of a dialler that proves itself; empty where nobody does.
  package var nonce: [UInt8] = []
  /// What a dialler proves over TCP.
  package var credential = Credential.secret
  /// The identifier of the token that it proves to have.
  package var token = ""

  package enum Credential: UInt64, Sendable {
    case secret = 0
    case token = 1
    case certificate = 2
  }

  package enum Role: UInt64, Sendable {
    case client = 0
    case node = 1
  }

  package static let currentMajor: UInt64 = 3
  package static let currentMinor: UInt64 = 1

  package init(
    namespace: String, role: Role, name: String, incarnation: Int64 = 0, address: String = "", version: String = ""
  ) {
    major = Self.currentMajor
    minor = Self.currentMinor
    self.namespace = namespace
    self.role = role
    self.name = name
    self.incarnation = incarnation
    self.address = address
    self.version = version
  }

  /// Why `self` does not understand `other`, or nil when it does.
  package func objection(toVersionOf other: LinkGreeting) -> GridError? {
    guard other.major != major else { return nil }
    return GridError(
      .protocolMismatch, "link protocol \(other.major).\(other.minor) is spoken there, \(major).\(minor) here",
      hint: "use the same major version of gridctl on both sides")
  }

  /// Why `self` will not talk to `other`, or nil when it will.
  package func objection(to other: LinkGreeting) -> GridError? {
    if let objection = objection(toVersionOf: other) { return objection }
    if other.namespace != namespace {
      return GridError(
        .protocolMismatch,
        "namespace \(NameRules.quoted(other.namespace)) was asked for, "
          + "this is namespace \(NameRules.quoted(namespace))",
        hint: "pass --namespace \(namespace), or another endpoint")
    }
    return nil
  }
}
