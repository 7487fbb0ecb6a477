package import GridCore
package import NIOCore

/// How connections come about: the way of a ``LinkEndpoint`` to the world.
///
/// Nodes and clients have the system's sockets (``NIOTransport``); the simulation a network in memory, which delays,
/// cuts and splits as its seed says. What a connection carries is the same code over both: `prepare` puts the link's
/// handler into the channel, on the thread of its event loop, before its first byte.
package protocol Transport: Sendable {
  /// Connects to `address`. Returns at once.
  ///
  /// - Parameter failed: called instead of `prepare`, or when that throws, with the error as users read it.
  func connect(
    to address: LinkAddress, within limit: Duration,
    _ prepare: @escaping @Sendable (any Channel) throws -> Void, failed: @escaping @Sendable (GridError) -> Void)

  /// Takes connections at `address` until the listener is closed.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when the address is in use or not ours,
  ///   ``GridError/Code/refused`` without
  ///   the permission.
  func listen(
    on address: LinkAddress, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) async throws(GridError) -> any LinkListener

  /// What a look at an address says of who should listen there.
  func presence(at address: LinkAddress, within limit: Duration) async -> LinkPresence
}

/// Takes connections until it is closed.
package protocol LinkListener: Sendable {
  /// Where it listens: port 0 has become the one that was free.
  var address: LinkAddress { get }
  /// Takes no more; those that are open stay.
  func close() async
}

/// What a look at an address says.
package enum LinkPresence: Sendable {
  /// Something listens there.
  case listens
  /// Its machine says that nothing listens: the process is gone.
  case gone
  /// No answer: it may be gone, hung, or cut off.
  case silent
}
