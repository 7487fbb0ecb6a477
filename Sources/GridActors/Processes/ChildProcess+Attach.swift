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
    let outputSplitter = LineSplitter(limit: options.maximumLineBytes, overflow: .fail)
    let errorSplitter = LineSplitter(limit: options.maximumErrorLineBytes, overflow: .cut)
    do {
      let input = try await attachInput(pipes.input, on: eventLoop)
      return ChildProcess(
        handle: handle,
        eventLoop: eventLoop,
        input: LineWriter(channel: input, limit: options.inputBufferBytes),
        output: try await attachOutput(pipes.output, outputSplitter, on: eventLoop) { reader, event in
          switch output {
          case .queue: lines.map { enqueue(event, of: reader, in: $0) }
          case .handler(let handler): handler(OutputEvent(event))
          }
        },
        errorOutput: try await attachOutput(pipes.error, errorSplitter, on: eventLoop) { _, event in
          if case .line(let line) = event { standardError(line.bytes, line.isCut) }
        },
        lines: lines
      )
    } catch {
      throw GridError.wrapping(error, as: .inputOutput, "cannot read and write the pipes of a child process")
    }
  }

  private static func enqueue(_ event: LineReader.Event, of reader: LineReader, in lines: LineQueue) {
    switch event {
    case .line(let line): if lines.push(line.bytes) { reader.pause() }
    case .failed(let error): lines.end(with: .failure(error))
    case .ended: lines.end(with: .success(nil))
    }
  }

  private static func attachInput(_ pipe: OwnedDescriptor, on eventLoop: any EventLoop) async throws -> any Channel {
    let bootstrap = try bootstrap(on: eventLoop)
    return try await bootstrap.takingOwnershipOfDescriptor(output: try descriptor(of: pipe)).get()
  }

  private static func attachOutput(
    _ pipe: OwnedDescriptor, _ splitter: LineSplitter, on eventLoop: any EventLoop,
    deliver: @escaping @Sendable (LineReader, LineReader.Event) -> Void
  ) async throws -> NIOLoopBound<LineReader> {
    let bootstrap = try bootstrap(on: eventLoop).channelOption(.autoRead, value: false)
    let descriptor = try descriptor(of: pipe)
    return try await bootstrap.takingOwnershipOfDescriptor(input: descriptor) { channel in
      channel.eventLoop.makeCompletedFuture {
        let reader = LineReader(descriptor: descriptor, splitter: splitter, deliver: deliver)
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
    case .failed(let error): self = .failed(error)
    case .ended: self = .ended
    }
  }
}
