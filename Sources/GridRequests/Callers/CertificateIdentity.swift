package import GridCore

/// Whom a certificate stands for: a name and a role in one namespace, written into it as the DNS name
/// `NAME.ROLE.NAMESPACE.gridctl`.
///
/// Names of nodes, people and namespaces have no dots, so that each text is read in one way only. Upper and lower case
/// differ, as in names everywhere.
package struct CertificateIdentity: Sendable, Hashable {
  package var name: String
  package var role: Role
  package var namespace: String
  /// A viewer that may read bodies of dead letters and traces: its role is written `viewer-bodies`.
  package var readsBodies: Bool

  private static let suffix = "gridctl"
  private static let viewerWithBodies = "viewer-bodies"

  /// - Throws: ``GridError/Code/usage`` when a name breaks the rules of names.
  package init(name: String, role: Role, namespace: String, readsBodies: Bool = false) throws(GridError) {
    try NameRules.validated(name, as: "identity")
    try NameRules.validated(namespace, as: "namespace")
    self.name = name
    self.role = role
    self.namespace = namespace
    self.readsBodies = role >= .operator || readsBodies
  }

  /// - Returns: nil for every name that is none of an identity.
  package init?(dnsName text: String) {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count == 4, labels[3] == Self.suffix else { return nil }
    let isViewerWithBodies = labels[1] == Self.viewerWithBodies
    guard let role = isViewerWithBodies ? .viewer : Role(rawValue: String(labels[1])),
      let identity = try? CertificateIdentity(
        name: String(labels[0]), role: role, namespace: String(labels[2]), readsBodies: isViewerWithBodies)
    else { return nil }
    self = identity
  }

  /// The one identity among the DNS names of a certificate.
  ///
  /// - Throws: ``GridError/Code/refused`` when there is none, or more than one: nobody is two people.
  package init(dnsNames names: [String]) throws(GridError) {
    let identities = names.compactMap { CertificateIdentity(dnsName: $0) }
    guard let identity = identities.first, identities.count == 1 else {
      throw GridError(
        .refused, identities.isEmpty ? "the certificate names nobody" : "the certificate names more than one identity",
        hint: "issue one with: gridctl tls issue --name NAME --role ROLE")
    }
    self = identity
  }

  package var dnsName: String {
    let label = role == .viewer && readsBodies ? Self.viewerWithBodies : role.rawValue
    return "\(name).\(label).\(namespace).\(Self.suffix)"
  }
}
