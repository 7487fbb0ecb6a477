internal import Glibc
internal import GridClient
internal import GridCommands
internal import GridCore

/// A session without a terminal: runs a script, and ends.
struct ScriptSession: Sendable {
  let core: SessionCore
  let echoes: Bool

  /// - Parameters:
  ///   - command: the script itself.
  ///   - file: where it is; standard input for `-` or nil.
  /// - Returns: the exit code.
  /// - Throws: ``GridError/Code/noInput`` when it cannot be read.
  func run(command: String?, file: String?) async throws(GridError) -> Int32 {
    var text = command
    if command == nil, let file, file != "-" {
      var purpose = UserFile.Purpose.script
      purpose.patience = core.services.givenTimeout
      text = try TextFile.read(file, as: purpose)
    }
    let name = command == nil ? (file ?? "-") == "-" ? "standard input" : file ?? "" : "-c"
    let script = text
    let isOneLine = command?.contains(where: \.isNewline) == false
    let runner = ScriptRunner(core: core, sink: DescriptorSink(), name: name, echoes: echoes, names: !isOneLine)
    return await withTaskGroup(of: Int32?.self) { group in
      group.addTask {
        await core.jobs.run()
        return nil
      }
      group.addTask {
        await core.cluster.stay(isEager: false, news: { heard($0) }, follow: { _ in })
        return nil
      }
      group.addTask {
        if let script { return await runner.run(script) }
        return await read(runner)
      }
      var code: Int32 = 0
      while let end = await group.next() {
        guard let end else { continue }
        code = core.exitCode ?? end
        break
      }
      core.jobs.close()
      core.cluster.close()
      group.cancelAll()
      return code
    }
  }

  /// Runs lines as they come, so that another program can talk to the session through pipes.
  private func read(_ runner: ScriptRunner) async -> Int32 {
    core.services.announceStandardInput("its lines are a script")
    let input = InputLines()
    var lines = ScriptLines()
    var code = ScriptCode()
    var isFirst = true
    while core.exitCode == nil, let line = await input.next() {
      defer { isFirst = false }
      guard let piece = lines.add(isFirst ? TextFile.withoutMark(line) : line) else { continue }
      code.add(await runner.run(piece))
      if code.last != 0, core.settings.stopsOnError { return code.last }
    }
    if core.exitCode == nil, let rest = lines.rest() { code.add(await runner.run(rest)) }
    return code.result(stopsOnError: core.settings.stopsOnError)
  }

  private func heard(_ news: ClusterClient.News) {
    guard case .lost(let node) = news else { return }
    core.announce("warning: node \(node) is gone; the next command goes to another one")
  }
}
