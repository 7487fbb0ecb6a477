package import GridCore
package import GridRequests
internal import NIOSSL

/// What a certificate says of whoever has it.
package struct CertificateFacts: Sendable, Equatable {
  /// All its DNS names; one of them is the identity.
  package var names: [String]
  package var notBefore: CalendarTime
  package var notAfter: CalendarTime

  package init(names: [String], notBefore: CalendarTime, notAfter: CalendarTime) {
    self.names = names
    self.notBefore = notBefore
    self.notAfter = notAfter
  }

  init(_ certificate: NIOSSLCertificate) {
    names = certificate._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map {
      $0.contents.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
    notBefore = CalendarTime(millisecondsSince1970: Int64(certificate.notValidBefore) * 1000)
    notAfter = CalendarTime(millisecondsSince1970: Int64(certificate.notValidAfter) * 1000)
  }

  /// - Throws: ``GridError/Code/refused`` for one that names nobody, or more than one.
  package var identity: CertificateIdentity {
    get throws(GridError) { try CertificateIdentity(dnsNames: names) }
  }

  /// Whom it stands for, for people.
  package var described: String { (try? identity)?.dnsName ?? names.first ?? "somebody without a name" }

  /// Why it is good for nothing at that time; nil when it is.
  package func objection(at now: CalendarTime, _ what: String) -> GridError? {
    if now < notBefore {
      return GridError(
        .refused, "\(what) is not valid before \(notBefore.rfc3339); here it is \(now.rfc3339)",
        hint: "is the clock of one of the two machines wrong?")
    }
    guard notAfter < now else { return nil }
    return GridError(.refused, "\(what) expired \(notAfter.rfc3339)", hint: reissue)
  }

  /// The command that makes one of the same identity.
  package var reissue: String {
    guard let identity = try? identity else { return "issue one with: gridctl tls issue --name NAME --role ROLE" }
    let bodies = identity.role == .viewer && identity.readsBodies ? " --bodies" : ""
    return "gridctl tls issue --ca DIR --namespace \(identity.namespace) --name \(identity.name) "
      + "--role \(identity.role.rawValue)\(bodies) --force"
  }
}
