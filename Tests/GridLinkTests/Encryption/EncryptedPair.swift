internal import Foundation
internal import GridConcurrency
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import GridSystem
internal import NIOCore
internal import NIOPosix
internal import Synchronization

@testable internal import GridLink

/// An authority for a test, and the files it has issued.
struct TestAuthority {
  let directory: String
  private let authority: CertificateAuthority
  private static let days = 86_400_000 as Int64

  /// - Parameter age: how many days ago it was made.
  init(in directory: String, age: Int64 = 500) throws {
    self.directory = directory
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let issued = try CertificateAuthority.make(days: 3650, now: Self.daysAgo(age))
    authority = try CertificateAuthority(certificate: issued.certificate, key: issued.key)
    try Data(issued.certificate.utf8).write(to: URL(fileURLWithPath: "\(directory)/ca.pem"))
  }

  private static func daysAgo(_ days: Int64) -> CalendarTime {
    CalendarTime(millisecondsSince1970: SystemClock().date().millisecondsSince1970 - days * Self.days)
  }

  /// Whoever only believes the authority.
  var alone: TLSFiles { TLSFiles(authority: "\(directory)/ca.pem") }

  /// - Parameters:
  ///   - age: how many days ago it was issued.
  ///   - file: the name of its files, when it is not that of who has it.
  func files(
    _ name: String, _ role: Role = .node, namespace: String = "shop", age: Int64 = 0, days: Int = 365,
    file: String? = nil
  ) throws -> TLSFiles {
    let issued = try authority.issue(
      try CertificateIdentity(name: name, role: role, namespace: namespace), days: days, now: Self.daysAgo(age))
    let path = "\(directory)/\(file ?? name)"
    _ = FileManager.default.createFile(
      atPath: path + ".key", contents: Data(issued.key.utf8), attributes: [.posixPermissions: 0o600])
    try Data(issued.certificate.utf8).write(to: URL(fileURLWithPath: path + ".pem"))
    return TLSFiles(authority: "\(directory)/ca.pem", certificate: path + ".pem", key: path + ".key")
  }
}

func withAuthority(_ body: (TestAuthority) async throws -> Void) async throws {
  let directory = "/tmp/gridctl-tls-\(UInt32.random(in: 0...UInt32.max))"
  defer { try? FileManager.default.removeItem(atPath: directory) }
  try await body(try TestAuthority(in: directory))
}

/// A side of links over real sockets.
final class RealSide: Sendable {
  let receiver = RecordingReceiver()
  let encryption: CertificateEncryption?
  private let endpoint: LinkEndpoint

  /// - Parameter clock: by which the files are looked at.
  init(_ greeting: LinkGreeting, _ files: TLSFiles?, clock: any GridClock = SystemClock()) throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let refused = Latch()
    let collected = Collected()
    var endpoint = LinkEndpoint(
      greeting: { greeting }, receiver: receiver, timers: LoopTimers(loop), transport: NIOTransport(loop),
      secret: { () throws(GridError) in .example },
      rejected: { error in
        collected.add(error)
        refused.open()
      })
    encryption = try files.map { files throws(GridError) in
      try CertificateEncryption(files, listens: files.certificate != nil, clock: clock)
    }
    endpoint.encryption = encryption
    if files?.certificate != nil { endpoint.credential = .certificate }
    self.endpoint = endpoint
    self.refused = refused
    self.collected = collected
  }

  private let refused: Latch
  private let collected: Collected

  /// Why a connection was refused, once one was.
  func refusal() async -> GridError? {
    await refused.wait()
    return collected.all.first
  }

  func listen() async throws -> any LinkListener {
    try await endpoint.listen(on: .tcp(host: "127.0.0.1", port: 0))
  }

  func dial(_ address: LinkAddress) async -> Result<Link, GridError> {
    do throws(GridError) {
      return .success(try await endpoint.dial(address))
    } catch {
      return .failure(error)
    }
  }

  private final class Collected: Sendable {
    private let state = Mutex<[GridError]>([])
    var all: [GridError] { state.withLock { $0 } }
    func add(_ error: GridError) { state.withLock { $0.append(error) } }
  }
}

extension LinkGreeting {
  static func node(_ name: String) -> LinkGreeting {
    LinkGreeting(
      namespace: "shop", role: .node, name: name, incarnation: 1, address: "127.0.0.1:1", version: "0.1.0")
  }
}
