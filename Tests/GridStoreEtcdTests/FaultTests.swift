internal import Foundation
internal import GridCore
internal import GridTestKit
internal import Testing

@testable internal import Grid
@testable internal import GridStoreEtcd

@Suite("An etcd that misbehaves", .serialized, .timeLimit(.minutes(10)))
struct FaultTests {
  @Test("the death of any member is survived, leases included")
  func memberDies() async throws {
    try await EtcdServers.with(3) { servers in
      try await withStore(servers.configuration) { store in
        let observer = LeaseRecorder()
        let lease = try await store.grantLease(timeToLive: .seconds(10), observer: observer)
        #expect(try await store.commit(claim("/kept", "1", lease: lease.identifier)).succeeded)
        for number in 0..<3 {
          await servers.kill(number)
          try await retry { _ = try await store.commit(claim("/after-\(number)", "1")) }
          try await servers.start(number)
          try await retry { _ = try await servers.control("endpoint", "health") }
        }
        #expect(try await store.get("/kept") != nil)
        #expect(observer.losses.isEmpty)
      }
    }
  }

  @Test("a watch goes on after the death of its member and misses nothing")
  func watchSurvives() async throws {
    try await EtcdServers.with(3) { servers in
      try await withStore(servers.configuration) { store in
        let start = try await store.range(prefix: "/w/").revision
        let recorder = WatchRecorder()
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await store.watch(prefix: "/w/", after: start) { recorder.record($0) } }
          for number in 0..<3 {
            try await retry { _ = try await store.commit(claim("/w/\(number)", "1")) }
            await servers.kill(number)
            try await servers.start(number)
          }
          try await wait("it") { Set(recorder.changes.map(\.key)) == ["/w/0", "/w/1", "/w/2"] }
          group.cancelAll()
        }
        #expect(recorder.changes.map(\.key).sorted() == ["/w/0", "/w/1", "/w/2"])
      }
    }
  }

  @Test("a watch from a compacted revision begins with a gap")
  func compaction() async throws {
    try await EtcdServers.with { servers in
      try await withStore(servers.configuration) { store in
        let start = try await store.range(prefix: "/c/").revision
        for number in 0..<5 { _ = try await store.commit(claim("/c/\(number)", "1")) }
        let fields = try await servers.control("get", "/c/0", "--write-out", "fields").split(separator: "\n")
        let revision = try #require(fields.first { $0.hasPrefix("\"Revision\"") }?.split(separator: " ").last)
        try await servers.control("compact", String(revision))
        let recorder = WatchRecorder()
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await store.watch(prefix: "/c/", after: start) { recorder.record($0) } }
          try await wait("it") { !recorder.events.isEmpty }
          _ = try await store.commit(claim("/c/last", "1"))
          try await wait("it") { recorder.changes.map(\.key) == ["/c/last"] }
          group.cancelAll()
        }
        guard case .gap(let revision)? = recorder.events.first else {
          Issue.record("the first event is \(String(describing: recorder.events.first))")
          return
        }
        #expect(revision >= start)
      }
    }
  }

  @Test("a lease that was revoked behind our back is lost at once, whatever keep-alives say")
  func revokedBehindOurBack() async throws {
    try await EtcdServers.with { servers in
      try await withStore(servers.configuration) { store in
        let observer = LeaseRecorder()
        let lease = try await store.grantLease(timeToLive: .seconds(3), observer: observer)
        _ = try await store.commit(claim("/owned", "1", lease: lease.identifier))
        try await servers.control("lease", "revoke", String(lease.identifier, radix: 16))
        try await wait("it") { !observer.losses.isEmpty }
        #expect(observer.losses.first?.code == .leaseLost)
      }
    }
  }

  @Test("an etcd that is away is named within its deadline, and found again")
  func away() async throws {
    try await EtcdServers.with { servers in
      var configuration = servers.configuration
      configuration.operationTimeout = .seconds(1)
      configuration.attemptTimeout = .milliseconds(400)
      try await withStore(configuration) { store in
        try await retry { _ = try await store.get("/probe") }
        await servers.pause(0, true)
        await #expect(throws: GridError(.unavailable, "")) { try await store.get("/probe") }
        await servers.pause(0, false)
        try await retry { _ = try await store.get("/probe") }
      }
    }
  }

  @Test("a user and a password from a file are asked for and refused")
  func authentication() async throws {
    try await EtcdServers.with { servers in
      try await retry { _ = try await servers.control("user", "add", "root:secret") }
      try await servers.control("user", "grant-role", "root", "root")
      try await servers.control("auth", "enable")
      let file = servers.directory + "/password"
      #expect(
        FileManager.default.createFile(
          atPath: file, contents: Data("secret\n".utf8), attributes: [.posixPermissions: 0o600]))
      let port = servers.members[0].clientPort
      let right = try EtcdConfiguration(
        parsing: "etcd://root@127.0.0.1:\(port)", environment: ["GRIDCTL_ETCD_PASSWORD_FILE": file])
      try await withStore(right) { store in
        let outcome = try await store.commit(claim("/secured", "1"))
        #expect(outcome.succeeded)
      }
      var wrong = right
      wrong.password = "guess"
      try await withStore(wrong) { store in
        await #expect(throws: GridError(.refused, "")) { try await store.get("/secured") }
      }
    }
  }

  @Test("TLS with certificates on both sides")
  func certificates() async throws {
    try await EtcdServers.with(
      scheme: "https",
      options: { directory in
        try Certificates.make(in: directory)
        return [
          "--cert-file", "\(directory)/server.pem", "--key-file", "\(directory)/server.key", "--client-cert-auth",
          "--trusted-ca-file", "\(directory)/ca.pem",
        ]
      },
      { servers in
        let port = servers.members[0].clientPort
        let files = [
          "GRIDCTL_ETCD_CA": "\(servers.directory)/ca.pem", "GRIDCTL_ETCD_CERT": "\(servers.directory)/client.pem",
          "GRIDCTL_ETCD_KEY": "\(servers.directory)/client.key",
        ]
        let configuration = try EtcdConfiguration(parsing: "etcds://localhost:\(port)/here", environment: files)
        try await withStore(configuration) { store in
          try await retry { _ = try await store.commit(claim("/key", "1")) }
          #expect(try await store.get("/key") != nil)
          #expect(try await store.describe().engine == "etcd")
        }
        var plain = EtcdConfiguration(endpoints: configuration.endpoints)
        plain.operationTimeout = .seconds(1)
        try await withStore(plain) { store in
          await #expect(throws: GridError(.unavailable, "")) { try await store.get("/key") }
        }
      })
  }
}
