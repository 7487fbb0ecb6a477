internal import GridCore

/// Where a setting's value comes from.
enum SettingSource: Sendable, Equatable, CustomStringConvertible {
  /// The option with this name.
  case flag(String)
  /// The environment variable with this name.
  case environment(String)
  /// The context with this name.
  case context(String)
  /// `gridctl context use`.
  case selection
  /// `config.toml`.
  case configuration
  /// Nobody said anything.
  case standard

  var description: String {
    switch self {
    case .flag(let name), .environment(let name): name
    case .context(let name): "context \(name)"
    case .selection: "gridctl context use"
    case .configuration: "config.toml"
    case .standard: "default"
    }
  }

  /// Whether it was said on the command line.
  var isFlag: Bool { if case .flag = self { true } else { false } }

  /// A wrong value is the command line's fault or the configuration's, and the message says whose.
  func blame(_ error: GridError) -> GridError {
    switch self {
    case .flag(let name): GridError(.usage, "\(name): \(error.message)", hint: error.hint)
    case .environment, .context, .configuration, .selection:
      GridError(.configuration, "\(self): \(error.message)", hint: error.hint)
    case .standard: error
    }
  }
}
