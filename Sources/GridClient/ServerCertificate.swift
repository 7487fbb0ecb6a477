package import GridCore
internal import GridLink
internal import GridSystem
internal import NIOCore

/// What certificate a node shows to whoever connects.
package enum ServerCertificate {
  /// - Parameter endpoint: `HOST:PORT`.
  /// - Returns: the certificate in DER; nothing of it is checked.
  /// - Throws: ``GridError/Code/usage`` for what is no such endpoint, ``GridError/Code/unavailable`` when nothing
  ///   answers there, ``GridError/Code/protocolMismatch`` when it speaks no TLS.
  package static func shown(at endpoint: String, timeout: Duration) async throws(GridError) -> [UInt8] {
    let address = try LinkAddress(parsing: endpoint)
    guard case .tcp = address else {
      throw GridError(.usage, "a Unix socket shows no certificate", hint: "name HOST:PORT, or a file")
    }
    let loop = NodeConnection.sharedGroup.next()
    return try await ShownCertificate.read(
      at: address, within: timeout, transport: NIOTransport(loop), timers: LoopTimers(loop))
  }
}
