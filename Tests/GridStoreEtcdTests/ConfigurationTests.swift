internal import Foundation
internal import GridCore
internal import Testing

@testable internal import GridStoreEtcd

@Suite("The address of an etcd cluster")
struct ConfigurationTests {
  @Test(
    "is read",
    arguments: [
      ("etcd://h1", ["h1:2379"], "", nil), ("etcd://h1:1,h2:2", ["h1:1", "h2:2"], "", nil),
      ("etcd://[::1]:5,[fe80::1]", ["[::1]:5", "[fe80::1]:2379"], "", nil),
      ("etcd://me@h1:1/team/a/", ["h1:1"], "/team/a", "me"),
    ] as [(String, [String], String, String?)])
  func reads(text: String, endpoints: [String], prefix: String, user: String?) throws {
    let configuration = try EtcdConfiguration(parsing: text)
    #expect(configuration.endpoints.map(\.description) == endpoints)
    #expect(configuration.prefix == prefix)
    #expect(configuration.user == user)
    #expect(!configuration.usesTLS)
  }

  @Test(
    "is refused when it is malformed",
    arguments: [
      "etcd://", "etcd://h1:0", "etcd://h1:99999", "etcd://h1,,h2", "http://h1", "etcd://me:secret@h1", "etcd://[::1",
      "etcd://[[n[]:5", "etcd://[::1]]:5", "etcd://h]", "etcd://a b", "etcd://h\u{1}",
      "etcd://\u{605}:2379", "etcd://h\u{301}", "etcd://me\u{605}:secret@h",
    ]
  )
  func refuses(text: String) {
    #expect(throws: GridError(.usage, "")) { try EtcdConfiguration(parsing: text) }
  }

  @Test("speaks TLS when it is asked for or files are named")
  func usesTLS() throws {
    #expect(try EtcdConfiguration(parsing: "etcds://h1").usesTLS)
    #expect(try EtcdConfiguration(parsing: "etcd://h1", environment: ["GRIDCTL_ETCD_CA": "ca.pem"]).usesTLS)
    #expect(throws: GridError(.noInput, "")) {
      try EtcdConfiguration(parsing: "etcd://h1", environment: ["GRIDCTL_ETCD_PASSWORD_FILE": "/does/not/exist"])
    }
  }

  @Test("takes no password from a folder, and one from a pipe that is written to")
  func passwordPlaces() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("grid-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: GridError(.noInput, "")) {
      try EtcdConfiguration(parsing: "etcd://h1", environment: ["GRIDCTL_ETCD_PASSWORD_FILE": folder.path])
    }
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: Data("hunter2\n".utf8))
    let place = "/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    let configuration = try EtcdConfiguration(
      parsing: "etcd://h1", environment: ["GRIDCTL_ETCD_PASSWORD_FILE": place])
    #expect(configuration.password == "hunter2")
  }

  @Test(
    "a range ends after its prefix",
    arguments: [("a", [98]), ("az", [97, 123]), ("", [0])] as [(String, [UInt8])])
  func rangeEnds(prefix: String, end: [UInt8]) {
    #expect(Array(EtcdMapping.rangeEnd(EtcdMapping(prefix: "").key(prefix))) == end)
  }
}
