package import GridCore
package import GridLink
internal import GridSystem
package import NIOCore
internal import NIOPosix

/// What of the world a node stands in: time, network, threads and dice. Real nodes have the machine's; the simulation
/// gives its own, and then nothing of a node reaches beyond them.
package struct NodeSurroundings: Sendable {
  /// What a simulated node has instead of directories: no files, and no socket for clients of its machine.
  package struct Memory: Sendable {
    package var secret: NamespaceSecret
    package var deadLetters: any DeadLetterLog

    package init(secret: NamespaceSecret, deadLetters: any DeadLetterLog) {
      self.secret = secret
      self.deadLetters = deadLetters
    }
  }

  package var timers: any Timers
  package var transport: any Transport
  /// The loop on which what belongs to no connection lives.
  package var loop: any EventLoop
  /// Where actors run that are not run where their mail arrives; nil for the pool.
  package var executor: (any TaskExecutor)?
  /// Makes the dice of one part of the node.
  package var makeGenerator: @Sendable () -> any RandomNumberGenerator & Sendable
  package var memory: Memory?
  /// The threads of its connections, its own; nil when they are somebody else's.
  let threads: MultiThreadedEventLoopGroup?

  package init(
    timers: any Timers, transport: any Transport, loop: any EventLoop, executor: any TaskExecutor,
    makeGenerator: @escaping @Sendable () -> any RandomNumberGenerator & Sendable, memory: Memory
  ) {
    self.timers = timers
    self.transport = transport
    self.loop = loop
    self.executor = executor
    self.makeGenerator = makeGenerator
    self.memory = memory
    threads = nil
  }

  /// The machine, with so many threads for connections.
  ///
  /// - Parameter timers: what tells the time instead of the machine's clock.
  init(threads count: Int, timers given: (any Timers)? = nil) {
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: count)
    self.threads = threads
    loop = threads.next()
    timers = given ?? LoopTimers(loop)
    transport = NIOTransport(threads)
    makeGenerator = { SystemRandomNumberGenerator() }
  }

  /// Ends the threads; nothing of the node may use them any more.
  func end() async { try? await threads?.shutdownGracefully() }

  /// Returns once all threads of connections have done something.
  func pulse() async throws {
    for loop in threads?.makeIterator().map({ $0 as any EventLoop }) ?? [] { try await loop.submit {}.get() }
  }
}
