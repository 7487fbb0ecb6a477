internal import GridConcurrency
package import GridCore
internal import NIOCore
internal import NIOSSL

/// What is shown at an address to whoever asks. Nothing of it is checked, and nobody is let in by it.
package enum ShownCertificate {
  /// The certificate of what listens there, in DER.
  ///
  /// - Throws: ``GridError/Code/unavailable`` when nothing listens there or nothing is shown in time,
  ///   ``GridError/Code/protocolMismatch`` when it speaks no TLS.
  package static func read(
    at address: LinkAddress, within limit: Duration, transport: any Transport, timers: any Timers
  ) async throws(GridError) -> [UInt8] {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    configuration.minimumTLSVersion = .tlsv12
    let context: NIOSSLContext
    do {
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      throw GridError(.failed, "TLS cannot be used", cause: error)
    }
    return try await withPromise { promise in
      transport.connect(to: address, within: limit) { channel in
        try channel.pipeline.syncOperations.addHandlers(
          PlaintextDetector(dials: true), try NIOSSLClientHandler(context: context, serverHostname: nil),
          EncryptionFaults { other in
            EncryptionExplanation(
              dials: true, authority: "", certificate: nil, own: nil, other: other, now: timers.date())
          }, Reader { promise.fulfil($0) })
        let limit = timers.schedule(after: limit) {
          channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in timers.cancel(limit) }
      } failed: { error in
        promise.fulfil(.failure(error))
      }
    }.get()
  }

  /// Takes the certificate once TLS is there, and ends.
  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var completion: ((Result<[UInt8], GridError>) -> Void)?

    init(_ completion: @escaping (Result<[UInt8], GridError>) -> Void) { self.completion = completion }

    private func finish(_ result: Result<[UInt8], GridError>, _ context: ChannelHandlerContext) {
      completion?(result)
      completion = nil
      context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      // Of TLS 1.3 everything that could go wrong on this side is behind us.
      guard let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self),
        let bytes = try? handler.peerCertificate?.toDERBytes()
      else { return context.fireUserInboundEventTriggered(event) }
      finish(.success(bytes), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      finish(.failure(GridError.wrapping(error, as: .unavailable, "the connection broke")), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
      completion?(.failure(GridError(.unavailable, "nothing was shown there")))
      completion = nil
      context.fireChannelInactive()
    }
  }
}
