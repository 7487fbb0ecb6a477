internal import Glibc
internal import GridClient
internal import GridCommands
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import Synchronization

/// A session at a terminal.
final class ReplSession: TerminalDelegate {
  /// How a session is begun.
  struct Options: Sendable {
    var readsStartFile = true
    var events: ShownEvents
    var isQuiet = false
  }

  struct State {
    var health = PromptHealth(node: nil)
    var form = PromptStyle.Form.command
    var foreground: Job?
    var interruptedAt: MonotonicTime?
    var wasAttached = false
    var hasHistory = true
    var lastLine: String?
  }

  /// A second Ctrl-C within this time leaves the request behind.
  static let patience = Duration.seconds(1)
  /// How long what still runs may take to end when the session is left.
  private static let farewell = Duration.seconds(2)
  /// What takes longer shows how long.
  static let remarkableTime = Duration.milliseconds(500)
  private static let historyLimit = 10_000
  private static let historyBytes = 64 << 20

  let core: SessionCore
  let terminal: Terminal
  let feed: EventFeed
  let names: LiveNames
  let completer: SessionCompleter
  let options: Options
  let state = Mutex(State())
  let detached = Signal<Void>()
  let left = Latch()
  let clock: any GridClock

  init(core: SessionCore, terminal: Terminal, options: Options) {
    self.core = core
    self.terminal = terminal
    self.options = options
    clock = SessionServices.clock
    names = LiveNames(timers: core.cluster.timers)
    completer = SessionCompleter(
      commands: EngineCompleter(index: names, contexts: { core.services.contexts }), core: core)
    let box = HealthBox()
    feed = EventFeed(
      choice: options.events,
      outlets: EventFeed.Outlets(
        show: { terminal.announce(NoticeStyle.dim("· " + SessionServices.printable($0))) },
        health: { box.changed($0) }, peers: { core.cluster.knows($0) }))
    core.feed = feed
    box.receiver.withLock { $0 = { [weak self] health in self?.changed(health) } }
  }

  /// Breaks the circle between the session and the feed that tells it of the cluster's health.
  private final class HealthBox: Sendable {
    let receiver = Mutex<(@Sendable (PromptHealth) -> Void)?>(nil)

    func changed(_ health: PromptHealth) { receiver.withLock { $0 }?(health) }
  }

  // MARK: Running

  /// Runs the session until it is left.
  ///
  /// - Returns: the exit code.
  /// - Throws: ``GridError/Code/software`` when the terminal cannot be taken over.
  func run() async throws(GridError) -> Int32 {
    try terminal.open(self)
    let code = await withTaskGroup(of: Int32?.self) { group in
      group.addTask {
        await self.core.jobs.run()
        return nil
      }
      group.addTask {
        await Self.until(self.left) { await self.stayAttached() }
        return nil
      }
      group.addTask { await self.endUnconditionally() }
      group.addTask { await self.readLines() }
      var code: Int32 = 0
      while let end = await group.next() {
        guard let end else { continue }
        code = end
        break
      }
      self.core.leave(code)
      self.core.jobs.close()
      self.core.cluster.close()
      await self.terminal.close()
      self.left.open()
      // Jobs and connection; then the one that ends the process when they do not.
      for _ in 0..<2 { _ = await group.next() }
      group.cancelAll()
      return code
    }
    return code
  }

  private func stayAttached() async {
    await core.cluster.stay(
      isEager: true, news: { self.heard($0) },
      follow: { connection in
        await withDiscardingTaskGroup { group in
          group.addTask { await self.feed.follow(connection) }
          group.addTask { await self.names.follow(connection, of: self.core.cluster.places.identity) }
        }
      })
  }

  /// Runs `body` until it ends or the gate opens.
  private static func until(_ gate: Latch, _ body: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await body() }
      group.addTask { await gate.wait() }
      await group.next()
      group.cancelAll()
    }
  }

  /// Leaves even when a request does not let itself be cancelled: nothing of the cluster depends on this process.
  private func endUnconditionally() async -> Int32? {
    await left.wait()
    guard await core.cluster.timers.sleep(for: Self.farewell) else { return nil }
    exit(core.exitCode ?? 0)
  }

  private func readLines() async -> Int32 {
    await greet()
    var typed = ""
    while true {
      if let code = core.exitCode { return code }
      state.withLock { $0.form = typed.isEmpty ? .command : .continuation }
      switch await terminal.readLine(prompt: prompt) {
      case .interrupted: typed = ""
      case .endOfInput:
        if typed.isEmpty { return core.exitCode ?? 0 }
        typed = ""
      case .terminated(let signal): return 128 + signal
      case .line(let line):
        typed += (typed.isEmpty ? "" : "\n") + line
        if typed.allSatisfy(\.isWhitespace) {
          typed = ""
        } else if await take(typed) {
          typed = ""
        }
      }
    }
  }

  private func greet() async {
    let path = historyPath
    if UserFile.isNull(path) {
      state.withLock { $0.hasHistory = false }
    } else {
      do throws(GridError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
          try SessionServices.makeDirectory(String(path[..<slash]))
        }
        try UserFile.checkPlain(path, limit: Self.historyBytes, noun: "a history")
      } catch { forgoHistory(error) }
    }
    if state.withLock({ $0.hasHistory }) { await terminal.loadHistory(path, limit: Self.historyLimit) }
    do throws(GridError) {
      let connection = try await core.cluster.connection(timeout: .zero)
      let peers = try await connection.list(PeersRequest(), timeout: core.timeout).items()
      core.cluster.knows(peers)
      let health = PromptHealth(node: connection.nodeName, peers: peers)
      changed(health)
      let actors = peers.compactMap { $0.actors.map(Int64.init) }.clampedSum()
      if !options.isQuiet {
        terminal.screen.remark(
          "gridctl \(SessionServices.version), \(place), attached to \(connection.nodeName), "
            + "\(CountText.of(health.alive, "node")), \(CountText.of(actors, "actor")). help, Ctrl-D to leave")
      }
    } catch {
      // Told by whoever keeps the connection.
    }
    if options.readsStartFile { await runStartFile() }
  }

  private var place: String {
    let services = core.services
    guard let context = services.context else { return "namespace \(services.namespace)" }
    return "context \(context)\(services.isProtected ? " (protected)" : "")"
  }

  private func runStartFile() async {
    let path = core.services.configurationDirectory + "/replrc"
    guard access(path, F_OK) == 0 else { return }
    do throws(GridError) {
      _ = await ScriptRunner(core: core, sink: terminal.screen, name: path).run(
        try TextFile.read(path, as: .startFile))
    } catch { core.report(error, to: terminal.screen) }
  }

  // MARK: News

  var prompt: String {
    let (health, form) = state.withLock { ($0.health, $0.form) }
    return core.prompt(health, form)
  }

  func changed(_ health: PromptHealth) {
    state.withLock { $0.health = health }
    terminal.offer(prompt: prompt)
  }

  private func heard(_ news: ClusterClient.News) {
    switch news {
    case .attached(let node):
      let isFirst = state.withLock { state in
        defer { state.wasAttached = true }
        state.health.node = node
        return !state.wasAttached
      }
      if !isFirst { terminal.announce(NoticeStyle.bold("! attached to \(node)")) }
    case .lost(let node):
      state.withLock { $0.health.node = nil }
      terminal.announce(NoticeStyle.bold("! node \(node) is gone; looking for another one"))
    case .alone(let error):
      state.withLock { $0.health.node = nil }
      let hint = error.hint.map { "\n  \($0)" } ?? ""
      terminal.announce(NoticeStyle.bold("! \(SessionServices.printable(error.message))") + hint)
    }
    terminal.offer(prompt: prompt)
  }
}
