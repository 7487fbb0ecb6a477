internal import Glibc
internal import Grid
internal import GridCore
internal import Yams

/// A file of kinds for `node start --kinds-file`: programs that actors are made from by name.
///
/// ```yaml
/// kinds:
///   resize:
///     command: [./resize.py, --quality, "90"]
///     handler-timeout: 30s
///   leader:
///     command: [./reconcile.sh]
/// ```
struct KindsFile: Decodable {
  let kinds: [String: Program]

  /// - Throws: ``GridError/Code/noInput`` when it cannot be read, ``GridError/Code/configuration`` with the place when
  ///   it is wrong.
  static func read(_ path: String) throws(GridError) -> [String: ExecSpecification] {
    let text = try String(strictly: try UserFile.read(path, as: .kinds), from: path, .configuration)
    do {
      let file = try YAMLDecoder().decode(KindsFile.self, from: text)
      return try file.kinds.reduce(into: [:]) { programs, kind in
        try NameRules.validated(kind.key, as: "kind")
        programs[kind.key] = try kind.value.specification()
      }
    } catch {
      throw GridError(
        .configuration, "\(path): \(reason(error))",
        hint: "kinds: { NAME: { command: [PROGRAM, ARGUMENT, …] } }; see: gridctl node start --help")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as GridError: error.message
    case DecodingError.dataCorrupted(let context) where context.underlyingError != nil:
      context.underlyingError.map(reason) ?? ""
    case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath)) lacks \(key.stringValue)"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      "\(place(context.codingPath)): \(context.debugDescription)"
    default: "\(error)"
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "the file" : path.map(\.stringValue).joined(separator: ".")
  }

  /// One kind of the file.
  struct Program: Decodable {
    let command: [String]
    let framing: String?
    let oneWay: Bool?
    let handlerTimeout: String?
    let restart: String?
    let environment: [String: String]?
    let workingDirectory: String?

    private enum Key: String, CodingKey, CaseIterable {
      case command, framing, restart, environment
      case oneWay = "one-way"
      case handlerTimeout = "handler-timeout"
      case workingDirectory = "working-directory"
    }

    private struct AnyKey: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      // A misspelt key must not be an option that silently does nothing.
      for key in try decoder.container(keyedBy: AnyKey.self).allKeys where Key(rawValue: key.stringValue) == nil {
        let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
        throw GridError(.configuration, "unknown key \(NameRules.quoted(key.stringValue)); known are \(known)")
      }
      let container = try decoder.container(keyedBy: Key.self)
      command = try container.decode([String].self, forKey: .command)
      framing = try container.decodeIfPresent(String.self, forKey: .framing)
      oneWay = try container.decodeIfPresent(Bool.self, forKey: .oneWay)
      handlerTimeout = try container.decodeIfPresent(String.self, forKey: .handlerTimeout)
      restart = try container.decodeIfPresent(String.self, forKey: .restart)
      environment = try container.decodeIfPresent([String: String].self, forKey: .environment)
      workingDirectory = try container.decodeIfPresent(String.self, forKey: .workingDirectory)
    }

    func specification() throws(GridError) -> ExecSpecification {
      guard let program = command.first, !program.isEmpty else { throw GridError(.configuration, "a command is empty") }
      guard let framing = ExecSpecification.Framing(rawValue: framing ?? "lines") else {
        throw GridError(.configuration, "unknown framing \(NameRules.quoted(framing ?? "")); lines or json")
      }
      var timeout = Duration.seconds(60)
      if let handlerTimeout {
        guard let chosen = Duration(gridText: handlerTimeout) else {
          throw GridError(.configuration, "handler-timeout \(NameRules.quoted(handlerTimeout)) is no duration")
        }
        timeout = chosen
      }
      return ExecSpecification(
        command: command, framing: framing, oneWay: oneWay ?? false, handlerTimeout: timeout,
        restart: try restart.map { text throws(GridError) in try RestartPolicy(parsing: text) } ?? .standard,
        environment: environment ?? [:], workingDirectory: workingDirectory)
    }
  }
}
