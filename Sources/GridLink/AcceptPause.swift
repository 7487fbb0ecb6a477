internal import Glibc
internal import NIOCore

/// Waits a little before more connections are accepted, when the process is out of descriptors or memory for one.
///
/// The socket stays readable all the while, and would be looked at as fast as the processor can. Those who wait are
/// accepted afterwards, and those who are connected are served meanwhile.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private static let pause = TimeAmount.milliseconds(250)
  private static let shortages: Set<Int32> = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let failure = error as? IOError, Self.shortages.contains(failure.errnoCode) else {
      return context.fireErrorCaught(error)
    }
    let channel = context.channel
    // Without it nothing is read; what was asked for before is taken back.
    channel.setOption(.autoRead, value: false).whenComplete { _ in }
    context.eventLoop.scheduleTask(in: Self.pause) {
      channel.setOption(.autoRead, value: true).whenComplete { _ in }
    }
  }
}
