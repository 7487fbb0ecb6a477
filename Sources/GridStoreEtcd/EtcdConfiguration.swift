internal import GridCore

/// How to reach an etcd cluster: its members, who we are, and how long to wait.
package struct EtcdConfiguration: Sendable, Equatable {
  /// One member's client address.
  package struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    package var host: String
    package var port: Int

    package init(host: String, port: Int = 2379) {
      self.host = host
      self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// At least one. The store uses one at a time and goes on to the next when it fails.
  package var endpoints: [Endpoint]
  /// Put in front of every key, so that several installations share one cluster. Empty by default.
  package var prefix: String
  /// The user to authenticate as; nil does not authenticate.
  package var user: String?
  /// The user's password. Never shown.
  package var password: String
  /// Whether to speak TLS, as `etcds://` asks for; also when one of the files below is given.
  package var usesTLS: Bool
  /// A PEM file of authorities; nil trusts the system's.
  package var authorityFile: String?
  /// PEM files of the client's own certificate (with its chain) and key, for clusters that ask for one.
  package var certificateFile: String?
  package var keyFile: String?
  /// How long one attempt at one member may take before the next is tried; doubled when there is only one member.
  package var attemptTimeout: Duration
  /// How long an operation may take in all: less than users wait for an answer that depends on it.
  package var operationTimeout: Duration
  /// How often each watch compares what it delivered with a complete reading.
  package var verificationInterval: Duration

  package init(endpoints: [Endpoint]) {
    self.endpoints = endpoints
    prefix = ""
    user = nil
    password = ""
    usesTLS = false
    authorityFile = nil
    certificateFile = nil
    keyFile = nil
    attemptTimeout = .milliseconds(1500)
    operationTimeout = .milliseconds(3500)
    verificationInterval = .seconds(30)
  }

  /// The addresses and the prefix, without user and password.
  package var place: String {
    (usesTLS ? "etcds://" : "etcd://") + endpoints.map(\.description).joined(separator: ",") + prefix
  }

  /// - Throws: ``GridError/Code/configuration`` with the field at fault.
  func validated() throws(GridError) -> EtcdConfiguration {
    guard !endpoints.isEmpty else {
      throw GridError(.configuration, "etcd has no endpoint", hint: "write etcd://HOST:2379")
    }
    for endpoint in endpoints where endpoint.host.isEmpty || !(1...65_535).contains(endpoint.port) {
      throw GridError(.configuration, "\(endpoint) is no address of an etcd member", hint: "write HOST:2379")
    }
    let times = [
      ("attempt", attemptTimeout), ("operation", operationTimeout), ("verification", verificationInterval),
    ]
    for (name, time) in times where time < .milliseconds(10) || time > .seconds(3600) {
      throw GridError(.configuration, "the \(name) time of etcd must be between 10ms and 1h")
    }
    guard (certificateFile == nil) == (keyFile == nil) else {
      throw GridError(
        .configuration, "a client certificate for etcd needs both the certificate and its key",
        hint: "set both GRIDCTL_ETCD_CERT and GRIDCTL_ETCD_KEY")
    }
    return self
  }
}
