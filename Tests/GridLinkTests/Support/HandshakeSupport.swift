internal import GridCore

@testable internal import GridLink

extension LinkHandshake.Terms {
  /// Of a side that knows the secret and no tokens.
  init(
    greeting: LinkGreeting, secret: @escaping @Sendable () throws(GridError) -> NamespaceSecret,
    objection: @escaping (LinkGreeting) -> GridError?
  ) {
    self.init(
      greeting: greeting, credential: .secret(secret), secret: secret, token: { _ in nil }, objection: objection)
  }
}

extension LinkHandshake {
  /// As a side that proves the secret, if anything.
  mutating func begin(_ greeting: LinkGreeting) -> [UInt8] {
    begin(greeting, showing: .secret { () throws(GridError) in .example })
  }
}
