internal import ArgumentParser
internal import GridCore
internal import GridSystem

/// Runs a program for an event: `events --exec`.
struct EventHook: Sendable {
  let command: [String]
  let relay: SignalRelay
  var environment = ProcessEnvironment.variables

  /// Runs the program, and returns when it has ended well.
  ///
  /// - Throws: `ExitCode` with the program's, when it is not 0; 128 and the signal's number when one ended it, or when
  ///   one came to this process meanwhile.
  func run(_ event: JSONValue) async throws {
    let input = try InputFile(event.serialized() + [0x0A])
    let status = try await relay.program { () async throws(GridError) in
      // In a session the terminal is the prompt's.
      try await AttachedChild.start(
        command, environment: ProcessEnvironment.forPrograms(variables(event)), input: input.descriptor,
        mayHoldTerminal: CommandEnvironment.current == nil)
    }
    let code = ExitStatus.code(of: status)
    if code != 0 { throw ExitCode(code) }
    if let caught = relay.caught { throw ExitCode(128 + caught) }
  }

  /// Texts as they are, without quotes; no text has a NUL, which a variable cannot hold.
  func variables(_ event: JSONValue) -> [String: String] {
    var variables = environment
    for field in ["seq", "at", "kind", "event", "name", "node", "reason", "detail"] {
      let text = event[field].map { $0 == .null ? "" : JSONPath.text($0) } ?? ""
      variables["GRIDCTL_EVENT_\(field.uppercased())"] = text.filter { $0 != "\0" }
    }
    return variables
  }
}
