internal import Glibc
internal import GridCore
internal import NIOCore

/// Turns what a child writes into lines, on the event loop of its pipe, and stops reading while it is paused.
///
/// A pause takes effect at once: lines that were read already stay here until ``resume()``.
final class LineReader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// What became of the stream.
  enum Event {
    case line(LineSplitter.Line)
    /// Everything that was written up to now has been delivered; only when asked for.
    case quiet
    /// A line was too long or reading failed; nothing follows.
    case failed(GridError)
    /// The stream ended; nothing follows.
    case ended
  }

  /// How long a pipe may stay silent after its child has ended before it is closed.
  private static let silenceAfterExit = TimeAmount.milliseconds(100)
  /// How many such times a pipe is looked at before it is closed although it still speaks.
  private static let looksAfterExit = 20

  private let descriptor: Int32
  private var splitter: LineSplitter
  private let deliver: (LineReader, Event) -> Void
  private var context: ChannelHandlerContext?
  private var isPaused = false
  private var isDelivering = false
  private var inputHasEnded = false
  private var isFinished = false
  private var hasReadSinceLook = false
  private var isAbandoned = false
  /// Whether lines were delivered since the last ``Event/quiet``.
  private var owesQuiet = false
  private let tellsQuiet: Bool
  private let bytesPerWindow: Int?
  private var bytesInWindow = 0
  private var isThrottled = false

  /// How long the bytes of a window last for a reader with a limit on them.
  private static let window = TimeAmount.milliseconds(100)

  /// - Parameters:
  ///   - descriptor: The pipe's descriptor, which belongs to the channel.
  ///   - splitter: What cuts the bytes into lines.
  ///   - tellsQuiet: Whether ``Event/quiet`` is wanted.
  ///   - bytesPerWindow: The most bytes read in a tenth of a second, about; the child waits for the next one.
  ///   - deliver: Called on the event loop; may call ``pause()``, ``resume()`` and ``skipLines(keeping:)``.
  init(
    descriptor: Int32, splitter: LineSplitter, tellsQuiet: Bool = false, bytesPerWindow: Int? = nil,
    deliver: @escaping (LineReader, Event) -> Void
  ) {
    self.descriptor = descriptor
    self.splitter = splitter
    self.tellsQuiet = tellsQuiet
    self.bytesPerWindow = bytesPerWindow
    self.deliver = deliver
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) { context.read() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasReadSinceLook = true
    let bytes = unwrapInboundIn(data)
    bytesInWindow += bytes.readableBytes
    splitter.append(bytes)
    deliverLines()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if let bytesPerWindow, bytesInWindow >= bytesPerWindow, !isThrottled { throttle(context) }
    if !isPaused, !isThrottled { context.read() }
  }

  /// Reads no more in this window, so that a child that writes without end costs its node little.
  private func throttle(_ context: ChannelHandlerContext) {
    isThrottled = true
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.window) {
      self.isThrottled = false
      self.bytesInWindow = 0
      if !self.isPaused { self.context?.read() }
    }
  }

  /// Drops lines that were read and not delivered, all but the last `kept`. Returns how many.
  func skipLines(keeping kept: Int) -> Int { splitter.skipLines(keeping: kept) }

  func channelInactive(context: ChannelHandlerContext) {
    inputHasEnded = true
    deliverLines()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Stops delivering lines and reading.
  func pause() { isPaused = true }

  /// Goes on after ``pause()``.
  func resume() {
    guard isPaused else { return }
    isPaused = false
    deliverLines()
    if !isPaused, !isThrottled { context?.read() }
  }

  /// Closes the pipe when it has nothing more to say.
  ///
  /// Called when the child has ended. Its pipe normally ends then too, but a process that left the child's group may
  /// still hold it open, so silence counts as the end.
  func childHasEnded(looksLeft: Int = LineReader.looksAfterExit) {
    guard let context, !inputHasEnded else { return }
    hasReadSinceLook = false
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.silenceAfterExit) {
      // A paused reader will read what is left later, if anybody still wants it. A busy loop may be late to read.
      let isWaiting = self.isPaused ? !self.isAbandoned : !self.hasReadSinceLook && self.hasUnreadBytes
      guard isWaiting || (self.hasReadSinceLook && looksLeft > 0) else { return self.close() }
      self.childHasEnded(looksLeft: isWaiting ? looksLeft : looksLeft - 1)
    }
  }

  /// Whether the pipe holds bytes. The descriptor is looked at on the loop that closes it, while it is open.
  var hasUnreadBytes: Bool {
    guard let context, context.channel.isActive else { return false }
    var pipe = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&pipe, 1, 0) > 0 && Int32(pipe.revents) & POLLIN != 0
  }

  /// Tells that nobody resumes a paused reader any more, so that its pipe need not stay open for that.
  func abandon() {
    isAbandoned = true
    if isPaused { close() }
  }

  /// Closes the pipe; lines that were read before stay deliverable.
  func close() { context?.close(promise: nil) }

  private func deliverLines() {
    guard !isDelivering else { return }
    isDelivering = true
    defer { isDelivering = false }
    do throws(LineSplitter.LineTooLong) {
      while !isPaused, !isFinished, let line = try splitter.next() {
        owesQuiet = tellsQuiet
        deliver(self, .line(line))
      }
      if owesQuiet, !isPaused, !hasUnreadBytes {
        owesQuiet = false
        deliver(self, .quiet)
      }
      guard inputHasEnded, !isPaused, !isFinished else { return }
      if let rest = try splitter.finish() { deliver(self, .line(rest)) }
      finish(with: .ended)
    } catch {
      let message = "the program wrote more than \(error.limit) bytes without a newline"
      finish(with: .failed(GridError(.undecodable, message)))
      close()
    }
  }

  private func finish(with event: Event) {
    isFinished = true
    deliver(self, event)
  }
}
