internal import Foundation
internal import GridCore
internal import GridRequests
internal import GridSecurity
internal import GridSystem
internal import Testing

@Suite("Certificates", .timeLimit(.minutes(5)))
struct CertificateTests {
  private let now = CalendarTime(millisecondsSince1970: 1_800_000_000_000)

  private func authority() throws -> (IssuedCertificate, CertificateAuthority) {
    let issued = try CertificateAuthority.make(days: 3650, now: now)
    return (issued, try CertificateAuthority(certificate: issued.certificate, key: issued.key))
  }

  @Test("of an identity say who it is, and are good for as long as was said")
  func identities() throws {
    let (_, authority) = try authority()
    let identities = [
      try CertificateIdentity(name: "n1", role: .node, namespace: "shop"),
      try CertificateIdentity(name: "Anna_B", role: .operator, namespace: "default"),
      try CertificateIdentity(name: "v", role: .viewer, namespace: "shop"),
      try CertificateIdentity(name: "v", role: .viewer, namespace: "shop", readsBodies: true),
      try CertificateIdentity(name: String(repeating: "a", count: 128), role: .node, namespace: "shop"),
    ]
    for identity in identities {
      let issued = try authority.issue(identity, names: ["host.example", "10.0.0.1", "fd00::1"], days: 30, now: now)
      let report = try #require(try CertificateReport.all(pem: issued.certificate).first)
      #expect(report.identity == identity && !report.isAuthority)
      #expect(report.names == [identity.dnsName, "host.example", "10.0.0.1", "fd00::1"])
      #expect(report.notAfter.millisecondsSince1970 == now.millisecondsSince1970 + 30 * 86_400_000)
      #expect(report.notBefore < now && report.status(at: now) == "valid")
      #expect(report.status(at: CalendarTime(millisecondsSince1970: 0)) == "not-yet-valid")
      #expect(report.status(at: CalendarTime(millisecondsSince1970: .max)) == "expired")
      #expect(!issued.key.isEmpty && !report.json(at: now).text.contains("PRIVATE"))
    }
  }

  @Test("never have the same number or key twice")
  func numbers() throws {
    let (_, authority) = try authority()
    let identity = try CertificateIdentity(name: "n1", role: .node, namespace: "shop")
    let issued = try (0..<50).map { _ in try authority.issue(identity, now: now) }
    #expect(Set(issued.map(\.key)).count == 50)
    #expect(Set(try issued.map { try CertificateReport.all(pem: $0.certificate)[0].serial }).count == 50)
  }

  @Test(
    "are not issued for what will not do",
    arguments: [
      ("n1.node.shop.gridctl", 30), ("a b", 30), ("", 30), ("a..b", 30), ("x", 0), ("x", -1), ("x", 36_501),
      ("x", 3651),
    ])
  func faults(_ name: String, _ days: Int) throws {
    let (_, authority) = try authority()
    let identity = try CertificateIdentity(name: "n1", role: .node, namespace: "shop")
    #expect(throws: GridError(.usage, "")) { try authority.issue(identity, names: [name], days: days, now: now) }
  }

  @Test("of no authority, or with another key, issue nothing")
  func authorities() throws {
    let (first, authority) = try authority()
    let second = try CertificateAuthority.make(days: 1, now: now)
    let leaf = try authority.issue(try CertificateIdentity(name: "n1", role: .node, namespace: "shop"), now: now)
    for (certificate, key) in [
      (first.certificate, second.key), (leaf.certificate, leaf.key), ("", first.key), (first.certificate, "x"),
    ] {
      #expect(throws: GridError(.configuration, "")) { try CertificateAuthority(certificate: certificate, key: key) }
    }
  }

  @Test(
    "that are none are told as such", arguments: ["", "x", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"])
  func foreign(_ text: String) {
    #expect(throws: GridError(.configuration, "")) { try CertificateReport.all(pem: text) }
  }

  /// A stranger's opinion; where it is not installed there is none.
  private func openssl(_ arguments: String, in directory: String) throws -> (output: String, status: Int32)? {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "cd '\(directory)' && openssl \(arguments) 2>&1"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (output, process.terminationStatus)
  }

  @Test("are the same to openssl: chain, usages, constraints and names")
  func strangersOpinion() throws {
    let directory = "/tmp/gridctl-certificates-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let now = SystemClock().date()
    let root = try CertificateAuthority.make(days: 3650, now: now)
    let authority = try CertificateAuthority(certificate: root.certificate, key: root.key)
    func write(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    try write(root.certificate, "ca.pem")
    let node = try authority.issue(
      try CertificateIdentity(name: "n1", role: .node, namespace: "shop"), names: ["10.0.0.1"], now: now)
    let viewer = try authority.issue(try CertificateIdentity(name: "v", role: .viewer, namespace: "shop"), now: now)
    try write(node.certificate, "n1.pem")
    try write(node.key, "n1.key")
    try write(viewer.certificate, "v.pem")
    let verify = "verify -x509_strict -CAfile ca.pem"
    guard let chain = try openssl("\(verify) -purpose sslserver n1.pem", in: directory) else { return }
    #expect(chain.status == 0, "\(chain.output)")
    for (line, status) in [
      ("\(verify) -purpose sslclient n1.pem", 0), ("\(verify) -purpose sslclient v.pem", 0),
      ("\(verify) -purpose sslserver v.pem", 2), ("\(verify) ca.pem", 0), ("pkey -in n1.key -noout -check", 0),
    ] as [(String, Int32)] {
      let result = try #require(try openssl(line, in: directory))
      #expect(result.status == status, "\(line): \(result.output)")
    }
    let text = try #require(try openssl("x509 -in n1.pem -noout -text", in: directory)).output
    for part in [
      "CA:FALSE", "Digital Signature", "TLS Web Server Authentication, TLS Web Client Authentication",
      "DNS:n1.node.shop.gridctl, IP Address:10.0.0.1", "ASN1 OID: prime256v1", "ecdsa-with-SHA256",
    ] {
      #expect(text.contains(part), "\(part): \(text)")
    }
    let rootText = try #require(try openssl("x509 -in ca.pem -noout -text", in: directory)).output
    #expect(rootText.contains("CA:TRUE, pathlen:0") && rootText.contains("Certificate Sign, CRL Sign"), "\(rootText)")
    let fingerprint = try #require(try openssl("x509 -in n1.pem -noout -fingerprint -sha256", in: directory)).output
    let report = try CertificateReport.all(pem: node.certificate)[0]
    #expect(fingerprint.lowercased().contains(report.fingerprint), "\(fingerprint)")
  }
}
