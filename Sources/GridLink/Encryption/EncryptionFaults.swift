internal import GridCore
internal import NIOCore
internal import NIOSSL

/// Turns errors of TLS into ones that users understand. Behind the handler of TLS, whose connection it asks for the
/// certificate of the other side.
final class EncryptionFaults: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let explanation: (CertificateFacts?) -> EncryptionExplanation

  init(_ explanation: @escaping (CertificateFacts?) -> EncryptionExplanation) { self.explanation = explanation }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    // Links say goodbye by themselves, and the end of the connection is told anyway.
    case NIOSSLError.uncleanShutdown, NIOSSLError.shutdownFailed, is NIOSSLCloseTimedOutError: return
    case NIOSSLError.handshakeFailed(let fault): context.fireErrorCaught(explained(fault, context) ?? error)
    case let fault as BoringSSLError: context.fireErrorCaught(explained(fault, context) ?? error)
    default: context.fireErrorCaught(error)
    }
  }

  private func explained(_ fault: BoringSSLError, _ context: ChannelHandlerContext) -> GridError? {
    guard case .sslError(let stack) = fault else { return nil }
    let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
    let explanation = explanation(handler?.peerCertificate.map { CertificateFacts($0) })
    if stack.contains(.eofDuringHandshake) { return explanation.endDuringHandshake }
    return stack.lazy.compactMap(\.reason).compactMap { explanation.error(for: $0) }.first
      ?? explanation.error(fault)
  }
}

extension BoringSSLInternalError {
  private static let library: UInt32 = 16

  /// The number of the reason among those of TLS; nothing but the text has it: `Error: 268436496 error:…`.
  var reason: Int? {
    let words = description.split(separator: " ", maxSplits: 2)
    guard words.count > 1, let code = UInt32(words[1]), code >> 24 & 0xFF == Self.library else { return nil }
    return Int(code & 0xFFF)
  }
}
