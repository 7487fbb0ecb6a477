internal import GridActors
internal import GridCore

/// A file of kinds for `node start --kinds-file`: programs that actors are made from by name. gridctl-kinds(5) says
/// what its keys mean.
///
/// ```yaml
/// kinds:
///   resize:
///     command: [./resize.py, --quality, "90"]
///     handler-timeout: 30s
///   reconcile:
///     command: [./reconcile.sh]
///     singleton: true
/// ```
struct KindsFile: Equatable {
  private(set) var programs: [String: ExecSpecification] = [:]
  /// The kinds of which one actor, of the kind's name, runs once in the namespace.
  private(set) var singletons: Set<String> = []

  /// The kind that is a singleton where nobody says otherwise, as in lytics/grid.
  static let standardSingleton = "leader"

  /// - Throws: ``GridError/Code/noInput`` when it cannot be read, ``GridError/Code/configuration`` with the file, the
  ///   line and the key when it is wrong.
  static func read(_ path: String) throws(GridError) -> KindsFile {
    let bytes = try UserFile.read(path, as: .kinds)
    return try KindsFile(path: path, text: try String(strictly: bytes, from: path, .configuration))
  }

  /// - Parameter path: what errors call the file.
  init(path: String, text: String) throws(GridError) {
    do throws(KindsFault) {
      try self.init(YAMLValue.document(text))
    } catch {
      throw GridError(
        .configuration, "\(path)\(error.line.map { ", line \($0)" } ?? ""): \(error.message)",
        hint: error.hint ?? "kinds: { NAME: { command: [PROGRAM, ARGUMENT, …] } }; see: man 5 gridctl-kinds")
    }
  }

  private init(_ file: YAMLValue) throws(KindsFault) {
    for (key, value) in try file.members() {
      guard key.text == "kinds" else { throw key.unknown(["kinds"]) }
      for (name, kind) in try value.members() { try add(name, kind) }
      return
    }
    throw file.fault("kinds is missing")
  }

  private mutating func add(_ name: YAMLValue.Key, _ kind: YAMLValue) throws(KindsFault) {
    do throws(GridError) { try NameRules.validated(name.text, as: "kind") } catch { throw name.fault(error.message) }
    guard !BuiltInKinds.names.contains(name.text) else {
      throw name.fault(
        "kind \(name.text) is built in and cannot be replaced", hint: "call it something else than \(name.text)")
    }
    let members = try Members(kind)
    programs[name.text] = try members.specification()
    if try members.isSingleton(name.text) { singletons.insert(name.text) }
  }

  /// The keys of a kind, in the order of the manual.
  static let keys = [
    "command", "framing", "one-way", "handler-timeout", "restart", "environment", "working-directory", "user",
    "rlimits",
    "cgroup", "singleton",
  ]

  /// The members of one kind.
  private struct Members {
    private let kind: YAMLValue
    private let members: [(key: YAMLValue.Key, value: YAMLValue)]

    init(_ kind: YAMLValue) throws(KindsFault) {
      self.kind = kind
      members = try kind.members()
    }

    private func value(_ key: String) -> YAMLValue? { members.first { $0.key.text == key }?.value }

    /// A misspelt key must not be an option that silently does nothing.
    func refuseOthers() throws(KindsFault) {
      for (key, _) in members where !KindsFile.keys.contains(key.text) { throw key.unknown(KindsFile.keys) }
    }

    func isSingleton(_ kind: String) throws(KindsFault) -> Bool {
      try value("singleton")?.flag() ?? (kind == KindsFile.standardSingleton)
    }

    func specification() throws(KindsFault) -> ExecSpecification {
      try refuseOthers()
      guard let command = value("command") else { throw kind.fault("command is missing") }
      let words = try command.texts()
      guard let program = words.first, !program.isEmpty else { throw command.fault("it is empty") }
      var specification = ExecSpecification(command: words)
      if let framing = value("framing") {
        let text = try framing.text()
        guard let known = ExecSpecification.Framing(rawValue: text) else {
          throw framing.fault("unknown framing \(NameRules.quoted(text)); lines or json")
        }
        specification.framing = known
      }
      specification.oneWay = try value("one-way")?.flag() ?? false
      specification.handlerTimeout = .seconds(60)
      if let timeout = value("handler-timeout") {
        let text = try timeout.text()
        guard let duration = Duration(gridText: text) else {
          throw timeout.fault("\(NameRules.quoted(text)) is no duration", hint: "write it as 250ms, 30s or 5m")
        }
        specification.handlerTimeout = duration
      }
      if let restart = value("restart") {
        let text = try restart.text()
        do throws(GridError) { specification.restart = try RestartPolicy(parsing: text) } catch {
          throw restart.fault(error.message, hint: error.hint)
        }
      }
      specification.environment = try value("environment")?.textsByName() ?? [:]
      specification.workingDirectory = try value("working-directory")?.text()
      specification.confinement = try confinement()
      return specification
    }

    private func confinement() throws(KindsFault) -> ProgramConfinement {
      var limits: [LimitArgument] = []
      for (key, value) in try value("rlimits")?.members() ?? [] {
        let text = try value.text()
        do throws(GridError) { limits.append(try LimitArgument(name: key.text, value: text)) } catch {
          throw value.fault(error.message, hint: error.hint)
        }
      }
      let user = try value("user")?.text()
      let cgroup = try value("cgroup")?.text()
      do throws(GridError) {
        return try ProgramConfinement(user: user, limits: limits, cgroup: cgroup)
      } catch {
        throw kind.fault(error.message, hint: error.hint)
      }
    }
  }
}

/// What is wrong with a file of kinds, and where.
struct KindsFault: Error {
  var message: String
  var line: Int?
  var hint: String?
}
