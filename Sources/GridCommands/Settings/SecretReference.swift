internal import Glibc
internal import GridCore
internal import GridSystem

/// Where a secret is: `file:PATH`, `env:NAME` or `cmd:COMMAND`. Never the secret itself, which has no place in
/// configuration files, arguments, logs or output.
struct SecretReference: Sendable, Equatable {
  enum Place: Sendable, Equatable {
    case file(String)
    case environment(String)
    /// Run by `/bin/sh`; what it prints, without the last line feed.
    case command(String)
  }

  let place: Place
  /// As it was written.
  let text: String

  /// - Throws: ``GridError/Code/configuration`` for a text of another form; it is not repeated, since it may be the
  ///   secret.
  init(parsing text: String) throws(GridError) {
    self.text = text
    guard let colon = text.firstIndex(of: ":"), text.index(after: colon) != text.endIndex else { throw Self.literal }
    let rest = String(text[text.index(after: colon)...])
    switch text[..<colon] {
    case "file": place = .file(rest)
    case "env": place = .environment(rest)
    case "cmd": place = .command(rest)
    default: throw Self.literal
    }
  }

  /// A file that was named as one.
  init(file path: String) {
    place = .file(path)
    text = "file:" + path
  }

  private static let literal = GridError(
    .configuration, "a secret must be a reference, not the secret itself",
    hint: "write file:PATH, env:NAME or cmd:COMMAND")

  /// The token that is there; in a file that nobody else reads.
  ///
  /// - Throws: what ``resolve(environment:)`` and `TokenFile` throw.
  func token(environment: [String: String]) async throws(GridError) -> String {
    switch place {
    case .file(let path): return try TokenFile.read(path)
    case .environment(let name): ProcessEnvironment.hide(name)
    case .command: break
    }
    return try await resolve(environment: environment)
  }

  /// The longest secret, and the longest time a command may take.
  private static let limit = 64 * 1024
  private static let patience = Duration.seconds(10)

  /// The secret.
  ///
  /// - Throws: ``GridError/Code/configuration`` when it cannot be had, with the place and without the secret.
  func resolve(environment: [String: String]) async throws(GridError) -> String {
    let secret: String
    switch place {
    case .file(let path):
      do throws(GridError) {
        secret = try Self.text(try UserFile.read(path, as: .secret))
      } catch {
        throw GridError(.configuration, "the secret of \(text) cannot be read", cause: error.message)
      }
    case .environment(let name):
      guard let value = environment[name] else {
        throw GridError(.configuration, "the secret of \(text) cannot be read: the variable is not set")
      }
      secret = value
    case .command(let command):
      let result = try await ShellCommand.output(
        command, environment: environment, limit: Self.limit, patience: Self.patience)
      guard case .exited(0) = result.status else {
        throw GridError(.configuration, "the secret of \(text) cannot be read: the command ended with \(result.status)")
      }
      do throws(GridError) {
        secret = try Self.text(result.output)
      } catch {
        throw GridError(.configuration, "the secret of \(text) cannot be read", cause: error.message)
      }
    }
    let trimmed = secret.last?.isNewline == true ? String(secret.dropLast()) : secret
    guard !trimmed.isEmpty else { throw GridError(.configuration, "the secret of \(text) is empty") }
    return trimmed
  }

  /// A secret must not be shown, not even where it is wrong.
  private static func text(_ bytes: [UInt8]) throws(GridError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GridError(.configuration, "it is not UTF-8")
    }
    return text
  }
}
