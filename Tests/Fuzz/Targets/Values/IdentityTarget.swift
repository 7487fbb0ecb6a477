internal import FuzzSupport
internal import GridCore
internal import GridRequests

/// DNS names of a certificate, one a line: whom it stands for is written as one of them, and nobody is two people.
let identityTarget = FuzzTarget("identity") { bytes in
  let names = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    .map(String.init)
  for name in names {
    guard let identity = CertificateIdentity(dnsName: name) else { continue }
    try promise(identity.dnsName.utf8.elementsEqual(name.utf8), "\(name) is written as \(identity.dnsName)")
    try promise(NameRules.isValid(identity.name), "\(name) stands for nobody")
    try promise(NameRules.isValid(identity.namespace), "\(name) is of no namespace")
    try promise(identity.role < .operator || identity.readsBodies, "\(name) may do more than it may see")
  }
  guard let whole = try? CertificateIdentity(dnsNames: names) else { return }
  try promise(names.filter { CertificateIdentity(dnsName: $0) != nil }.count == 1, "a certificate is for several")
  try promise(names.contains { CertificateIdentity(dnsName: $0) == whole }, "a certificate is for somebody else")
}
