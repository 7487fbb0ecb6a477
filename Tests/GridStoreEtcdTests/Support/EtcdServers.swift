internal import Foundation
internal import Glibc
internal import GridActors
internal import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOPosix

@testable internal import GridStoreEtcd

/// Real etcd members on free ports of the loopback, gone at the end whatever happens: the process guard sees to it.
final class EtcdServers: Sendable {
  struct Member: Sendable {
    let name: String
    let clientPort: Int
    let peerPort: Int
    let directory: String
  }

  let members: [Member]
  let directory: String
  private let processes: ProcessGuard
  private let extra: [String]
  private let scheme: String
  private let running = Running()

  /// The children by the number of their member.
  private actor Running {
    var children: [Int: ChildProcess] = [:]
    func set(_ child: ChildProcess?, _ number: Int) { children[number] = child }
  }

  private init(count: Int, directory: String, processes: ProcessGuard, extra: [String], scheme: String) throws {
    self.directory = directory
    self.processes = processes
    self.extra = extra
    self.scheme = scheme
    let ports = try Self.freePorts(count * 2)
    members = (0..<count).map { number in
      Member(
        name: "m\(number)", clientPort: ports[2 * number], peerPort: ports[2 * number + 1],
        directory: "\(directory)/m\(number)")
    }
  }

  /// Runs `body` with so many members, once they answer.
  static func with(
    _ count: Int = 1, scheme: String = "http", options: (_ directory: String) throws -> [String] = { _ in [] },
    _ body: (EtcdServers) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.path + "/gridctl-etcd-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let processes = ProcessGuard()
    let servers = try EtcdServers(
      count: count, directory: directory, processes: processes, extra: try options(directory), scheme: scheme)
    do {
      for number in 0..<count { try await servers.start(number) }
      try await body(servers)
    } catch {
      await processes.shutdown()
      throw error
    }
    await processes.shutdown()
  }

  /// How clients reach the members.
  var configuration: EtcdConfiguration {
    EtcdConfiguration(endpoints: members.map { EtcdConfiguration.Endpoint(host: "127.0.0.1", port: $0.clientPort) })
  }

  func start(_ number: Int) async throws {
    let member = members[number]
    let client = "\(scheme)://127.0.0.1:\(member.clientPort)"
    let peer = "http://127.0.0.1:\(member.peerPort)"
    let cluster = members.map { "\($0.name)=http://127.0.0.1:\($0.peerPort)" }.joined(separator: ",")
    let isNew = !FileManager.default.fileExists(atPath: member.directory)
    var options = ChildProcess.Options()
    options.standardError = { _ in .last(0) }
    let arguments = [
      "--name", member.name, "--data-dir", member.directory, "--listen-client-urls", client,
      "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
      "--initial-cluster", cluster, "--initial-cluster-state", isNew ? "new" : "existing", "--heartbeat-interval",
      "50", "--election-timeout", "500",
    ]
    let child = try await processes.spawn(
      ProcessCommand(
        "etcd", arguments: arguments + extra, environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"]),
      options: options, on: MultiThreadedEventLoopGroup.singleton.next())
    await running.set(child, number)
  }

  /// Stops a member where it stands, or lets it go on.
  func pause(_ number: Int, _ isPaused: Bool) async {
    guard let child = await running.children[number] else { return }
    Glibc.kill(child.processIdentifier, isPaused ? SIGSTOP : SIGCONT)
  }

  func kill(_ number: Int) async {
    _ = await running.children[number]?.terminate(grace: .zero)
    await running.set(nil, number)
  }

  /// Runs `etcdctl` against the members.
  @discardableResult
  func control(_ arguments: String..., options: [String] = []) async throws -> String {
    let endpoints = members.map { "\(scheme)://127.0.0.1:\($0.clientPort)" }.joined(separator: ",")
    return try await run("etcdctl", ["--endpoints", endpoints] + options + arguments)
  }

  /// Runs a program to its end.
  ///
  /// - Returns: its standard output.
  func run(_ program: String, _ arguments: [String]) async throws -> String {
    let child = try await processes.spawn(
      ProcessCommand(
        program, arguments: arguments, environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "ETCDCTL_API": "3"]),
      on: MultiThreadedEventLoopGroup.singleton.next())
    var output: [String] = []
    while let line = try await child.nextLine() { output.append(String(decoding: line, as: UTF8.self)) }
    let status = try await child.exit
    guard status.isSuccess else { throw GridError(.failed, "\(program) \(arguments) \(status): \(output)") }
    return output.joined(separator: "\n")
  }

  /// The number of the member that leads, once there is one.
  func leader() async throws -> Int {
    try await retry {
      for (number, member) in members.enumerated() {
        let status = try await run(
          "etcdctl", ["--endpoints", "\(scheme)://127.0.0.1:\(member.clientPort)", "endpoint", "status"])
        // Endpoint, identity, version, size, whether it leads, …
        let fields = status.split(separator: ",").map { $0.drop { $0 == " " } }
        if fields.count > 4, fields[4] == "true" { return number }
      }
      throw GridError(.unavailable, "no member leads")
    }
  }

  /// Ports that nobody listens on at the moment.
  static func freePorts(_ count: Int) throws -> [Int] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    return try (0..<count).map { _ in
      let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      sockets.append(socket)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          bind(socket, address, size) == 0 ? getsockname(socket, address, &size) : -1
        }
      }
      guard status == 0 else { throw GridError(.failed, "no free port") }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }
}
