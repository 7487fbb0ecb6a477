package import GridCore
package import GridRequests
package import NIOCore

/// What encrypts connections, and knows who is at their other end.
///
/// It is asked anew for each connection, so that files that were replaced count for the next one.
package protocol LinkEncryption: Sendable {
  /// Puts itself into the pipeline of a connection, in front of everything else.
  ///
  /// - Throws: ``GridError/Code/configuration`` when there is nothing to encrypt with.
  func protect(_ channel: any Channel, dials: Bool) throws(GridError)

  /// Whom the certificate of the other side stands for; nil when it has shown none. Called on the connection's event
  /// loop, once the first byte came through.
  ///
  /// - Throws: ``GridError/Code/refused`` for a certificate that names nobody.
  func identity(of channel: any Channel) throws(GridError) -> CertificateIdentity?

  /// What is wrong, as users read it, when a connection broke with an error of the encryption; nil for other errors.
  func explanation(of error: any Error) -> GridError?
}

/// Watches over who comes in: over TCP who has failed too often is not listened to for a while.
package protocol LinkGate: Sendable {
  /// Why a connection from there is closed before anything is said; nil lets it greet.
  ///
  /// - Parameter host: the address of its machine, without the port.
  func objection(to host: String) -> GridError?

  /// Hears of a connection that did not get through the greeting.
  func refused(_ attempt: LinkAttempt)
}

/// A connection that did not get through the greeting.
package struct LinkAttempt: Sendable {
  /// The address of its machine, without the port; empty for a Unix socket.
  package var host: String
  /// The user at the other end of a Unix socket.
  package var user: UInt32?
  /// Whether it belongs here all the same: it has proved that, and was refused for another reason.
  package var isProven = false
  /// What it said of itself; nil when it has said nothing.
  package var greeting: LinkGreeting?
  package var error: GridError

  package init(host: String, user: UInt32? = nil, greeting: LinkGreeting? = nil, error: GridError) {
    self.host = host
    self.user = user
    self.greeting = greeting
    self.error = error
  }
}
