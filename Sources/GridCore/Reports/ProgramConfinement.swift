/// What the program of an `exec` actor may do and use, where that is other than what its node may.
package struct ProgramConfinement: Sendable, Equatable {
  /// What the system limits, by the names of limits.conf(5).
  package enum Resource: String, Sendable, CaseIterable {
    case openFiles = "nofile"
    /// Processes of the program's user, on the whole machine.
    case processes = "nproc"
    /// Bytes of address space.
    case memory = "as"
    /// Seconds of processor time.
    case processorTime = "cpu"
    /// Bytes of one file that it writes.
    case fileSize = "fsize"
    /// Bytes of a core file.
    case coreSize = "core"
  }

  /// A limit of each process of the program; nil is no limit.
  package struct Limit: Sendable, Equatable {
    /// What holds.
    package let soft: Int64?
    /// How far the program may raise it.
    package let hard: Int64?

    /// - Throws: ``GridError/Code/usage`` for a negative one, or a soft one above the hard one.
    package init(soft: Int64?, hard: Int64?) throws(GridError) {
      let isRaised = hard.map { hard in soft.map { $0 > hard } ?? true } ?? false
      guard !isRaised, soft ?? 0 >= 0, hard ?? 0 >= 0 else {
        throw GridError(
          .usage, "a limit must not be negative, nor the soft one above the hard one",
          hint: "SOFT or SOFT:HARD, as nofile=256:1024 or core=unlimited")
      }
      self.soft = soft
      self.hard = hard
    }
  }

  /// Whose rights it has, by name; nil is the node's user. Only a node of root can give it another one.
  package var user: String?
  package var limits: [Resource: Limit]
  /// The directory of the control group (version 2) that it is moved to; nil leaves it in the node's.
  package var cgroup: String?

  package init(user: String? = nil, limits: [Resource: Limit] = [:], cgroup: String? = nil) {
    self.user = user
    self.limits = limits
    self.cgroup = cgroup
  }

  /// In the order of the resources, which is always the same.
  package var orderedLimits: [(resource: Resource, limit: Limit)] {
    Resource.allCases.compactMap { resource in limits[resource].map { (resource, $0) } }
  }

  /// - Throws: ``GridError/Code/usage`` for a control group without an absolute path, or an empty name.
  package func validated() throws(GridError) -> ProgramConfinement {
    if let user, user.isEmpty || user.utf8.contains(0) {
      throw GridError(.usage, "the program's user is empty or contains a NUL byte", hint: "name one, as nobody")
    }
    if let cgroup, !cgroup.hasPrefix("/") || cgroup.utf8.contains(0) {
      throw GridError(
        .usage, "the control group \(NameRules.quoted(cgroup)) is no absolute path",
        hint: "the directory of a control group, as /sys/fs/cgroup/NAME")
    }
    return self
  }
}

// MARK: - On the wire

extension ProgramConfinement {
  /// What is not asked for is left out.
  var members: [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    members["user"] = user.map { .string($0) }
    members["cgroup"] = cgroup.map { .string($0) }
    guard !limits.isEmpty else { return members }
    let limits = limits.map { ($0.key.rawValue, $0.value.json) }
    members["limits"] = .object(Dictionary(limits) { first, _ in first })
    return members
  }

  init(json: JSONValue) throws(GridError) {
    var limits: [Resource: Limit] = [:]
    let named = json["limits"] ?? .null
    guard named == .null || named.objectValue != nil else {
      throw GridError(.undecodable, "the limits of a program are no object")
    }
    for (name, limit) in named.objectValue ?? [:] {
      // One that is not known must not be a limit that silently does not hold.
      guard let resource = Resource(rawValue: name) else { throw Self.unknown(name) }
      limits[resource] = try Limit(json: limit)
    }
    self = try ProgramConfinement(
      user: Self.text("user", json), limits: limits, cgroup: Self.text("cgroup", json)
    ).validated()
  }

  /// What is there must be understood: a program that was to be kept in must not run free.
  private static func text(_ field: String, _ json: JSONValue) throws(GridError) -> String? {
    guard let value = json[field], value != .null else { return nil }
    guard let text = value.stringValue else { throw GridError(.undecodable, "“\(field)” of a program is no text") }
    return text
  }

  package static func unknown(_ resource: String) -> GridError {
    GridError(
      .usage, "unknown resource \(NameRules.quoted(resource))",
      hint: "known are \(Resource.allCases.map(\.rawValue).joined(separator: ", "))")
  }
}

extension ProgramConfinement.Limit {
  fileprivate var json: JSONValue {
    ["soft": soft.map { .integer($0) } ?? .null, "hard": hard.map { .integer($0) } ?? .null]
  }

  fileprivate init(json: JSONValue) throws(GridError) {
    func value(_ field: String) throws(GridError) -> Int64? {
      guard let value = json[field] else { throw GridError(.undecodable, "a limit lacks “\(field)”") }
      guard value != .null else { return nil }
      guard let number = value.integerValue else { throw GridError(.undecodable, "the limit “\(field)” is no number") }
      return number
    }
    try self.init(soft: value("soft"), hard: value("hard"))
  }
}
