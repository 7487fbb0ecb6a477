internal import GridCore
internal import GridRequests
internal import GridSystem
internal import NIOCore

/// The channel handler behind a link: preamble, greeting (``LinkHandshake``), then frames. Lives on one event loop.
///
/// ```
/// preamble ──8 bytes──▶ greeting ──who is there──▶ open ──▶ closed
///     └──────── anything else, or 5 s ────────────────────────▲
/// ```
final class LinkChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Stage {
    case preamble
    case greeting
    case open(Link)
    case closed
  }

  /// The first bytes either side sends, so that other protocols are told apart at once.
  static let preamble: [UInt8] = Array("GRIDCTL\n".utf8)
  static let greetingTimeout = Duration.seconds(5)

  private let endpoint: LinkEndpoint
  private let dialled: ((Result<Link, GridError>) -> Void)?
  private let objection: (LinkGreeting) -> GridError?
  private let accepted: Accepted
  private let trust: LinkTrust
  private let patience: Duration
  private var handshake: LinkHandshake
  private var stage = Stage.preamble
  private var inbound: ByteBuffer
  private var messages = EnvelopeQueue()
  private var names = TextCache()
  private var timeout: TimerToken?
  private var liveness: TimerToken?
  private var failure: GridError?
  /// What the other side has said of itself.
  private var claim: LinkGreeting?
  /// The token that it has named.
  private var shown: TokenVerifier?
  /// Its place among those that have not greeted.
  private var place: UInt64?

  /// What is known of a connection that was accepted, before its first byte.
  struct Accepted {
    /// Why nothing is said to the other side at all; nil for one that may greet.
    var stranger: GridError?
    /// The user at the other end of a Unix socket.
    var user: UInt32?
    /// The address of its machine.
    var host = ""
    var greeting: GreetingTable?
  }

  /// - Parameters:
  ///   - dialled: called once, when the link is open or will not be; nil on the accepting side.
  ///   - objection: why the other side is refused once it is known who it is; nil accepts it.
  ///   - accepted: what is known of the other side where it has dialled.
  ///   - patience: how long the greeting may take, `greetingTimeout` at most.
  init(
    endpoint: LinkEndpoint, trust: LinkTrust, dialled: ((Result<Link, GridError>) -> Void)?,
    objection: @escaping (LinkGreeting) -> GridError?, accepted: Accepted = Accepted(),
    patience: Duration = LinkChannelHandler.greetingTimeout
  ) {
    self.endpoint = endpoint
    self.dialled = dialled
    self.objection = objection
    self.accepted = accepted
    self.trust = trust
    self.patience = min(patience, Self.greetingTimeout)
    // Random bytes cost a one-shot command on a Unix socket nothing.
    handshake = LinkHandshake(
      dials: dialled != nil, trust: trust, nonce: trust == .proof ? LinkProof.nonce() : [])
    inbound = ByteBuffer()
  }

  func channelActive(context: ChannelHandlerContext) {
    var buffer = context.channel.allocator.buffer(capacity: 256)
    buffer.writeBytes(Self.preamble)
    if accepted.stranger == nil { buffer.writeBytes(handshake.begin(endpoint.greeting(), showing: credential)) }
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    if let stranger = accepted.stranger { return fail(stranger, context) }
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    place = accepted.greeting?.enter { error in loop.execute { bound.value.0.fail(error, bound.value.1) } }
    timeout = schedule(after: patience, context) { handler, context in
      handler.fail(GridError(.unavailable, "no greeting within \(handler.patience.gridText)"), context)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeBuffer(&buffer) }
    let now = endpoint.timers.now()
    if case .open(let link) = stage { link.beginRead(at: now) }
    do {
      try consume(context, now)
    } catch {
      // What came before the fault was whole.
      if case .open(let link) = stage { deliverMessages(link) }
      fail(GridError.wrapping(error, as: .protocolMismatch, "malformed frame"), context)
    }
    if inbound.readableBytes == 0 { inbound = ByteBuffer() } else { inbound.discardReadBytes() }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if case .open(let link) = stage { link.endRead() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if case .open(let link) = stage, context.channel.isWritable { link.flush() }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(failure ?? GridError(.nodeLost, "the connection was closed"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let explained = endpoint.encryption?.explanation(of: error)
    fail(explained ?? GridError(.nodeLost, "the connection broke", cause: error), context)
  }

  // MARK: Bytes to frames

  private func consume(_ context: ChannelHandlerContext, _ now: MonotonicTime) throws(GridError) {
    if case .preamble = stage {
      let seen = inbound.readableBytesView.prefix(Self.preamble.count)
      guard Self.preamble.starts(with: seen) else { throw stranger(inbound) }
      guard seen.count == Self.preamble.count else { return }
      inbound.moveReaderIndex(forwardBy: seen.count)
      stage = .greeting
    }
    // The bytes are read in place; nothing that a frame sets off changes them.
    let buffer = inbound
    let outcome = buffer.withUnsafeReadableBytes { bytes -> Result<Int, GridError> in
      Result { () throws(GridError) in try frames(in: bytes, context, now) }
    }
    inbound.moveReaderIndex(forwardBy: try outcome.get())
    if case .open(let link) = stage { deliverMessages(link) }
  }

  /// Acts on the whole frames in `bytes` and says how many bytes they were.
  private func frames(
    in bytes: UnsafeRawBufferPointer, _ context: ChannelHandlerContext, _ now: MonotonicTime
  ) throws(GridError) -> Int {
    var at = 0
    while let body = try Self.frame(in: bytes, at: at, limit: frameLimit) {
      let whole = UnsafeRawBufferPointer(rebasing: bytes[at..<at + 4 + body.count])
      at += whole.count
      switch stage {
      case .closed: return at
      case .preamble, .greeting: try greeted(LinkFrame(decoding: body), whole, context)
      case .open(let link):
        switch body.first {
        case FrameKind.message: take(try link.envelope(decoding: body, names: &names, at: now), link)
        case FrameKind.reply:
          deliverMessages(link)
          try link.received(replyIn: body)
        default:
          deliverMessages(link)
          link.received(try LinkFrame(decoding: body), at: now)
        }
      }
    }
    return at
  }

  private var frameLimit: Int {
    if case .greeting = stage { LinkFrame.maximumGreetingBytes } else { LinkFrame.maximumBytes }
  }

  /// The frame at `at` without its length field; nil when it is not all there yet.
  private static func frame(
    in bytes: UnsafeRawBufferPointer, at: Int, limit: Int
  ) throws(GridError) -> UnsafeRawBufferPointer? {
    guard bytes.count - at >= 4 else { return nil }
    let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    guard length > 0, length <= limit else {
      throw GridError(.protocolMismatch, "a frame of \(length) bytes; 1 to \(limit) are allowed")
    }
    guard bytes.count - at - 4 >= length else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[at + 4..<at + 4 + length])
  }

  /// Our own senders look before they send; others are told.
  private func take(_ envelope: Envelope, _ link: Link) {
    guard let error = envelope.excess else { return messages.append(envelope) }
    deliverMessages(link)
    if link.caller.role == .viewer { return envelope.resolve(.failure(error)) }
    endpoint.receiver.undeliverable(envelope.withinLimits, error)
  }

  /// Hands over the messages of a read at once, so that a mailbox is locked once for many.
  private func deliverMessages(_ link: Link) {
    guard !messages.isEmpty else { return }
    endpoint.receiver.received(&messages, on: link)
  }

  private func stranger(_ buffer: ByteBuffer) -> GridError {
    let bytes = buffer.readableBytesView
    if let first = bytes.first, Self.startsTLS(first) {
      return dialled == nil
        ? GridError(
          .protocolMismatch, "whoever has dialled speaks TLS, which this node does not",
          hint: "start it with --tls-cert, --tls-key and --tls-ca")
        : GridError(.protocolMismatch, "it speaks TLS", hint: "name a CA with --tls-ca; see: gridctl help tls")
    }
    return GridError(
      .protocolMismatch, "what answers there is no gridctl node (it says \(Self.quotedStart(bytes)))",
      hint: "check the endpoint")
  }

  /// Whether a connection whose first byte is this one speaks TLS: an alert, or the handshake.
  static func startsTLS(_ byte: UInt8) -> Bool { (0x14...0x17).contains(byte) }

  /// What a stranger says first, for people.
  static func quotedStart(_ bytes: some Sequence<UInt8>) -> String {
    NameRules.quoted(String(decoding: bytes.prefix(40).prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self))
  }

  // MARK: Greeting

  private var credential: LinkCredential { endpoint.credential ?? .secret(endpoint.secret) }

  private func greeted(
    _ frame: LinkFrame, _ bytes: UnsafeRawBufferPointer, _ context: ChannelHandlerContext
  ) throws(GridError) {
    if case .hello(let greeting) = frame { claim = greeting }
    let encryption = trust == .proof ? endpoint.encryption : nil
    let terms = LinkHandshake.Terms(
      greeting: endpoint.greeting(), credential: credential, secret: endpoint.secret,
      token: { self.token($0) }, isEncrypted: encryption != nil,
      certificate: try encryption?.identity(of: context.channel), objection: objection)
    switch try handshake.received(frame, bytes, terms) {
    case .wait: break
    case .send(let answer): send(answer, context)
    case .open(let other, let caller, let answer):
      admit(context) { handler, context in
        if !answer.isEmpty { handler.send(answer, context) }
        handler.open(other, handler.located(caller, other, context), context)
      }
    }
  }

  private func token(_ identifier: String) -> TokenVerifier? {
    let token = endpoint.token(identifier)
    shown = token
    return token
  }

  /// Uses up a token that is good for one connection, before anything is said.
  private func admit(
    _ context: ChannelHandlerContext,
    _ open: @escaping @Sendable (LinkChannelHandler, ChannelHandlerContext) -> Void
  ) {
    guard let shown, shown.isSingleUse else { return open(self, context) }
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    endpoint.admission(shown) { objection in
      loop.execute {
        let (handler, context) = bound.value
        if case .closed = handler.stage { return }
        if let objection { return handler.fail(objection, context) }
        open(handler, context)
      }
    }
  }

  /// Whoever has dialled, with the place it has dialled from.
  private func located(_ caller: Caller, _ other: LinkGreeting, _ context: ChannelHandlerContext) -> Caller {
    var caller = caller
    let address = LinkAddress(context.channel.remoteAddress)
    switch trust {
    case .kernel:
      caller.from = "unix"
      if let user = accepted.user { caller.name = UserNames.name(of: user) }
    case .proof:
      caller.from = address?.description ?? ""
      // The secret is a file of the node's own user.
      caller.isHere = (address?.isLocal ?? false) && [.secret, .node].contains(caller.source)
    }
    return caller
  }

  private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
  }

  private func open(_ other: LinkGreeting, _ caller: Caller, _ context: ChannelHandlerContext) {
    if let timeout { endpoint.timers.cancel(timeout) }
    leaveGreeting()
    let link = Link(
      channel: context.channel, remote: other, caller: caller, receiver: endpoint.receiver, timers: endpoint.timers)
    stage = .open(link)
    link.beginRead(at: endpoint.timers.now())
    endpoint.receiver.opened(link)
    dialled?(.success(link))
    if other.role == .node, let limit = endpoint.silenceLimit { watch(link, silenceLimit: limit, context) }
  }

  private func watch(_ link: Link, silenceLimit: Duration, _ context: ChannelHandlerContext) {
    // It may have ended when it was looked at.
    guard case .open = stage else { return }
    // Five times within the limit: to hear nothing of four pings is no accident. Oftener costs every node a wake-up for
    // each of its peers.
    let interval = silenceLimit / 5
    liveness = schedule(after: interval, context) { handler, context in
      link.checkLiveness(silenceLimit: silenceLimit, interval: interval)
      handler.watch(link, silenceLimit: silenceLimit, context)
    }
  }

  /// Has `action` called on the thread of the connection.
  private func schedule(
    after duration: Duration, _ context: ChannelHandlerContext,
    _ action: @escaping @Sendable (LinkChannelHandler, ChannelHandlerContext) -> Void
  ) -> TimerToken {
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    return endpoint.timers.schedule(after: duration) { loop.execute { action(bound.value.0, bound.value.1) } }
  }

  // MARK: The end

  private func fail(_ error: GridError, _ context: ChannelHandlerContext) {
    if case .closed = stage { return }
    failure = error
    if dialled == nil {
      // The peer learns why before the connection goes.
      var buffer = context.channel.allocator.buffer(capacity: 256)
      LinkFrame.refusal(error).fitted?.encode(into: &buffer)
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
    end(error)
    context.close(promise: nil)
  }

  private func end(_ error: GridError) {
    for token in [timeout, liveness] { if let token { endpoint.timers.cancel(token) } }
    guard case .closed = stage else {
      let before = stage
      stage = .closed
      if case .open(let link) = before {
        link.shut(error)
        endpoint.receiver.closed(link, error)
      } else {
        leaveGreeting()
        if dialled == nil { endpoint.gate?.refused(attempt(error)) }
        endpoint.rejected(error)
        dialled?(.failure(error))
      }
      return
    }
  }

  private func attempt(_ error: GridError) -> LinkAttempt {
    var attempt = LinkAttempt(host: accepted.host, user: accepted.user, greeting: claim, error: error)
    attempt.isProven = handshake.isProven || trust == .kernel && accepted.stranger == nil
    return attempt
  }

  private func leaveGreeting() {
    if let place { accepted.greeting?.leave(place) }
    place = nil
  }
}

extension LinkChannelHandler.Accepted {
  init(
    _ channel: any Channel, at address: LinkAddress, greeting: GreetingTable, gate: (any LinkGate)?, group: UInt32?
  ) {
    self.greeting = greeting
    switch address.trust {
    case .kernel:
      user = PeerCredentials.user(of: channel)
      stranger = PeerCredentials.objection(toUser: user, of: channel, letting: group)
    case .proof:
      if case .tcp(let host, _) = LinkAddress(channel.remoteAddress) { self.host = host }
      stranger = gate?.objection(to: host)
    }
  }
}

extension Link {
  /// Sends a ping when the peer was silent since the last look, and gives it up when it stays silent.
  fileprivate func checkLiveness(silenceLimit: Duration, interval: Duration) {
    let silence = timers.now() - lastHeardAt
    if silence > silenceLimit {
      close(GridError(.nodeLost, "\(remote.name) has been silent for \(Int(silence.inSeconds)) s"))
    } else if silence > interval * 0.9 {
      append(.ping(0))
    }
  }
}
