internal import GridCore

/// A limit of a program's processes: `nofile=256:1024`, `as=512MiB`, `core=unlimited`.
struct LimitArgument: TextArgument {
  let resource: ProgramConfinement.Resource
  let limit: ProgramConfinement.Limit

  init(parsing text: String) throws(GridError) {
    guard let equals = text.firstIndex(of: "=") else {
      throw GridError(
        .usage, "\(NameRules.quoted(text)) is no limit", hint: "write NAME=SOFT or NAME=SOFT:HARD, as nofile=256:1024")
    }
    try self.init(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
  }

  /// - Parameters:
  ///   - name: the resource's, also `memory` for `as`.
  ///   - value: `SOFT` for both, or `SOFT:HARD`.
  init(name: String, value: String) throws(GridError) {
    guard let resource = name == "memory" ? .memory : ProgramConfinement.Resource(rawValue: name) else {
      throw ProgramConfinement.unknown(name)
    }
    self.resource = resource
    let parts = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let values = try parts.map { part throws(GridError) in try Self.value(String(part), of: resource) }
    limit = try ProgramConfinement.Limit(soft: values[0], hard: values.count > 1 ? values[1] : values[0])
  }

  private static func value(_ text: String, of resource: ProgramConfinement.Resource) throws(GridError) -> Int64? {
    if text == "unlimited" { return nil }
    switch resource {
    case .memory, .fileSize, .coreSize: return Int64(clamping: try SizeArgument(parsing: text).bytes)
    case .processorTime:
      guard let seconds = Int64(text) ?? Duration(gridText: text)?.components.seconds, seconds >= 0 else { break }
      return seconds
    case .openFiles, .processes:
      guard let count = Int64(text), count >= 0 else { break }
      return count
    }
    throw GridError(
      .usage, "\(NameRules.quoted(text)) is no limit of \(resource.rawValue)",
      hint: resource == .processorTime ? "write seconds, 5m or unlimited" : "write a number or unlimited")
  }
}

extension ProgramConfinement {
  /// - Throws: ``GridError/Code/usage`` when one resource is there twice, or something is wrong with the rest.
  init(user: String?, limits arguments: [LimitArgument], cgroup: String?) throws(GridError) {
    var limits: [Resource: Limit] = [:]
    for argument in arguments {
      guard limits.updateValue(argument.limit, forKey: argument.resource) == nil else {
        throw GridError(
          .usage, "\(argument.resource.rawValue) is limited twice", hint: "name each limit once, as nofile=256:1024")
      }
    }
    self = try ProgramConfinement(user: user, limits: limits, cgroup: cgroup).validated()
  }
}
