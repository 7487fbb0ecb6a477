internal import GridCore
internal import GridRequests
internal import Testing

/// Whom a certificate stands for.
@Suite struct CertificateIdentityTests {
  @Test(arguments: [
    ("n1.node.shop.gridctl", "n1", Role.node, "shop", true),
    ("ada.operator.default.gridctl", "ada", .operator, "default", true),
    ("Eve_2.viewer.a-b.gridctl", "Eve_2", .viewer, "a-b", false),
    ("eve.viewer-bodies.shop.gridctl", "eve", .viewer, "shop", true),
  ])
  func `it is read as it was written`(_ text: String, _ name: String, _ role: Role, _ namespace: String, _ reads: Bool)
  {
    let identity = CertificateIdentity(dnsName: text)
    #expect(identity?.name == name && identity?.role == role && identity?.namespace == namespace)
    #expect(identity?.readsBodies == reads && identity?.dnsName == text)
  }

  @Test(arguments: [
    "", ".", "...", "n1.node.shop", "n1.node.shop.gridctl.", ".node.shop.gridctl", "n1..shop.gridctl",
    "n1.node..gridctl",
    "n1.root.shop.gridctl", "n1.Node.shop.gridctl", "n1.node.shop.GRIDCTL", "a.n1.node.shop.gridctl",
    "*.node.shop.gridctl",
    "n1.node.sh op.gridctl", "n1\u{0}.node.shop.gridctl", "ünal.node.shop.gridctl", "-.node.shop.gridctl",
    String(repeating: "a", count: 200) + ".node.shop.gridctl", "n1.operator-bodies.shop.gridctl",
  ])
  func `nothing else names anybody`(_ text: String) {
    #expect(CertificateIdentity(dnsName: text) == nil)
  }

  @Test func `a certificate names one identity, beside the names of machines`() throws {
    let names = ["db1.example.com", "n1.node.shop.gridctl", "localhost"]
    #expect(try CertificateIdentity(dnsNames: names).name == "n1")
    #expect(throws: GridError(.refused, "")) { try CertificateIdentity(dnsNames: ["example.com"]) }
    #expect(throws: GridError(.refused, "")) { try CertificateIdentity(dnsNames: []) }
    #expect(throws: GridError(.refused, "")) {
      try CertificateIdentity(dnsNames: names + ["n2.node.shop.gridctl"])
    }
  }
}
