internal import GridCore
internal import NIOCore
internal import NIOPosix

extension ChildProcess {
  /// Puts the pipes of a started child on an event loop.
  static func attach(
    _ handle: ProcessHandle, pipes: ProcessPipes, options: Options, on eventLoop: any EventLoop
  ) async throws(GridError) -> ChildProcess {
    let lines: LineQueue? =
      if case .queue(let bytes) = options.output { LineQueue(limit: bytes) } else { nil }
    let output = options.output
    let standardError = options.standardError
    let gauge = try PipeGauge(writeEnd: pipes.input)
    do {
      let descriptor = try descriptor(of: pipes.input)
      let input = try await bootstrap(on: eventLoop).takingOwnershipOfDescriptor(output: descriptor).get()
      return ChildProcess(
        handle: handle,
        eventLoop: eventLoop,
        input: LineWriter(channel: input, gauge: gauge, limit: options.inputBufferBytes),
        output: try await attachOutput(pipes.output, output, lines, options, on: eventLoop),
        errorOutput: try await attachSampled(pipes.error, standardError, options, on: eventLoop),
        lines: lines
      )
    } catch {
      throw GridError.wrapping(error, as: .inputOutput, "cannot read and write the pipes of a child process")
    }
  }

  private static func attachOutput(
    _ pipe: OwnedDescriptor, _ delivery: OutputDelivery, _ lines: LineQueue?, _ options: Options,
    on eventLoop: any EventLoop
  ) async throws -> NIOLoopBound<LineReader> {
    let splitter = LineSplitter(limit: options.maximumLineBytes, overflow: .fail)
    switch delivery {
    case .queue:
      return try await attach(pipe, splitter, on: eventLoop) { reader, event in
        lines.map { enqueue(event, of: reader, in: $0) }
      }
    case .handler(let handler):
      return try await attach(pipe, splitter, on: eventLoop) { _, event in handler(OutputEvent(event)) }
    case .conversation(let handler):
      return try await attach(pipe, splitter, tellsQuiet: true, on: eventLoop) { _, event in
        handler(OutputEvent(event))
      }
    case .sampled(let handler): return try await attachSampled(pipe, handler, options, on: eventLoop)
    }
  }

  private static func attachSampled(
    _ pipe: OwnedDescriptor, _ handler: @escaping @Sendable (SampledEvent) -> Appetite, _ options: Options,
    on eventLoop: any EventLoop
  ) async throws -> NIOLoopBound<LineReader> {
    let splitter = LineSplitter(limit: options.maximumErrorLineBytes, overflow: .cut)
    return try await attach(pipe, splitter, bytesPerWindow: sampledBytesPerWindow, on: eventLoop) { reader, event in
      switch event {
      case .quiet: break
      case .failed, .ended: _ = handler(.ended)
      case .line(let line):
        guard case .last(let kept) = handler(.line(line.bytes, isCut: line.isCut)) else { return }
        let skipped = reader.skipLines(keeping: kept)
        if skipped > 0 { _ = handler(.skipped(skipped)) }
      }
    }
  }

  /// 2.5 MiB a second: a log that grows faster is read by nobody.
  private static let sampledBytesPerWindow = 256 * 1024

  private static func enqueue(_ event: LineReader.Event, of reader: LineReader, in lines: LineQueue) {
    switch event {
    case .line(let line): if lines.push(line.bytes) { reader.pause() }
    case .quiet: break
    case .failed(let error): lines.end(with: .failure(error))
    case .ended: lines.end(with: .success(nil))
    }
  }

  private static func attach(
    _ pipe: OwnedDescriptor, _ splitter: LineSplitter, tellsQuiet: Bool = false, bytesPerWindow: Int? = nil,
    on eventLoop: any EventLoop, deliver: @escaping @Sendable (LineReader, LineReader.Event) -> Void
  ) async throws -> NIOLoopBound<LineReader> {
    let bootstrap = try bootstrap(on: eventLoop).channelOption(.autoRead, value: false)
    let descriptor = try descriptor(of: pipe)
    return try await bootstrap.takingOwnershipOfDescriptor(input: descriptor) { channel in
      channel.eventLoop.makeCompletedFuture {
        let reader = LineReader(
          descriptor: descriptor, splitter: splitter, tellsQuiet: tellsQuiet, bytesPerWindow: bytesPerWindow,
          deliver: deliver)
        try channel.pipeline.syncOperations.addHandler(reader)
        return NIOLoopBound(reader, eventLoop: channel.eventLoop)
      }
    }
  }

  private static func bootstrap(on eventLoop: any EventLoop) throws(GridError) -> NIOPipeBootstrap {
    guard let bootstrap = NIOPipeBootstrap(validatingGroup: eventLoop) else {
      throw GridError(.software, "a child process needs an event loop of a MultiThreadedEventLoopGroup")
    }
    return bootstrap
  }

  /// Takes the descriptor out of its owner. When a bootstrap fails later it has closed the descriptor or not, and does
  /// not say which; closing it here could close somebody else's.
  private static func descriptor(of pipe: OwnedDescriptor) throws(GridError) -> Int32 {
    guard let number = pipe.take() else { throw GridError(.software, "a pipe of a child process was attached twice") }
    return number
  }
}

extension ChildProcess.OutputEvent {
  fileprivate init(_ event: LineReader.Event) {
    switch event {
    case .line(let line): self = .line(line.bytes)
    case .quiet: self = .quiet
    case .failed(let error): self = .failed(error)
    case .ended: self = .ended
    }
  }
}
