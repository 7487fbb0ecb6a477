internal import GridConcurrency
package import GridCore
internal import NIOCore

/// Our side of links: what we say of ourselves and who receives. Dials and listens.
package struct LinkEndpoint: Sendable {
  /// What we say of ourselves, asked anew for each connection (a node's incarnation changes when it rejoins).
  package var greeting: @Sendable () -> LinkGreeting
  package var receiver: any LinkReceiver
  package var timers: any Timers
  package var transport: any Transport
  /// A node link that is silent for so long is given up; nil turns the check off.
  package var silenceLimit: Duration?
  /// The secret of the namespace, asked when a connection is to be proved.
  package var secret: @Sendable () throws(GridError) -> NamespaceSecret
  /// What we show over TCP; nil proves ``secret``.
  package var credential: LinkCredential?
  /// What is known here of the token of that identifier.
  package var token: @Sendable (String) -> TokenVerifier? = { _ in nil }
  /// Uses up a token that is good for one connection; its completion hears why that cannot be, or nil.
  package var admission: @Sendable (TokenVerifier, @escaping @Sendable (GridError?) -> Void) -> Void = { $1(nil) }
  /// TLS for all TCP connections; nil without.
  package var encryption: (any LinkEncryption)?
  /// The group whose members may use a Unix socket, beside our own user and root.
  package var admittedGroup: UInt32?
  /// Watches over who comes in; nil lets everybody try.
  package var gate: (any LinkGate)?
  /// Why a side that has dialled us, and is one of ours, is refused; nil accepts it.
  package var objection: @Sendable (LinkGreeting) -> GridError?
  /// Told of connections that never got through the greeting.
  package var rejected: @Sendable (GridError) -> Void

  package init(
    greeting: @escaping @Sendable () -> LinkGreeting, receiver: any LinkReceiver, timers: any Timers,
    transport: any Transport,
    secret: @escaping @Sendable () throws(GridError) -> NamespaceSecret,
    silenceLimit: Duration? = .seconds(15),
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = { _ in nil },
    rejected: @escaping @Sendable (GridError) -> Void = { _ in }
  ) {
    self.greeting = greeting
    self.receiver = receiver
    self.timers = timers
    self.transport = transport
    self.secret = secret
    self.silenceLimit = silenceLimit
    self.objection = objection
    self.rejected = rejected
  }

  /// The same side without a claim to be a node, to ask something of one on this machine.
  package var asClient: LinkEndpoint {
    var endpoint = self
    let greeting = greeting
    endpoint.greeting = {
      let own = greeting()
      return LinkGreeting(namespace: own.namespace, role: .client, name: own.name, version: own.version)
    }
    return endpoint
  }

  /// Connects and greets.
  ///
  /// - Parameter objection: why the node that answers is not the one that was meant; nil accepts it.
  /// - Throws: ``GridError/Code/unavailable`` when nothing listens there, ``GridError/Code/protocolMismatch`` when what
  ///   listens is no node of our version and namespace, ``GridError/Code/refused`` when one of the two sides does not
  ///   know the secret of the other's namespace.
  package func dial(
    _ address: LinkAddress, timeout: Duration = .seconds(5),
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = Self.objectionToClients
  ) async throws(GridError) -> Link {
    try await withPromise { promise in
      dial(address, timeout: timeout, objection: objection) { promise.fulfil($0) }
    }.get()
  }

  /// Whoever listens is a node.
  package static let objectionToClients: @Sendable (LinkGreeting) -> GridError? = { other in
    other.role == .node ? nil : GridError(.protocolMismatch, "what answers there is no node")
  }

  /// As ``dial(_:timeout:objection:)``, for callers that do not wait.
  ///
  /// - Parameter completion: called once, on the connection's event loop when there is one.
  package func dial(
    _ address: LinkAddress, timeout: Duration,
    objection: @escaping @Sendable (LinkGreeting) -> GridError? = Self.objectionToClients,
    completion: @escaping @Sendable (Result<Link, GridError>) -> Void
  ) {
    let endpoint = self
    transport.connect(to: address, within: timeout) { channel in
      if address.trust == .proof { try endpoint.encryption?.protect(channel, dials: true) }
      try channel.pipeline.syncOperations.addHandler(
        LinkChannelHandler(
          endpoint: endpoint, trust: address.trust,
          dialled: { completion($0.mapError { Self.greetingError($0, with: address) }) }, objection: objection,
          patience: timeout))
    } failed: { error in
      completion(.failure(error))
    }
  }

  private static func greetingError(_ error: GridError, with address: LinkAddress) -> GridError {
    GridError(error.code, "cannot reach \(address): \(error.message)", hint: error.hint, cause: error.cause)
  }

  /// Listens on `address`; accepted links go to the receiver.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the address is in use or not ours,
  ///   ``GridError/Code/refused`` without
  ///   the permission.
  package func listen(on address: LinkAddress) async throws(GridError) -> any LinkListener {
    let endpoint = self
    let greeting = GreetingTable()
    return try await transport.listen(on: address) { channel in
      let accepted = LinkChannelHandler.Accepted(
        channel, at: address, greeting: greeting, gate: address.trust == .proof ? endpoint.gate : nil,
        group: endpoint.admittedGroup)
      if address.trust == .proof, accepted.stranger == nil { try endpoint.encryption?.protect(channel, dials: false) }
      try channel.pipeline.syncOperations.addHandler(
        LinkChannelHandler(
          endpoint: endpoint, trust: address.trust, dialled: nil, objection: endpoint.objection, accepted: accepted))
    }
  }
}
