internal import Crypto
internal import Foundation
package import GridCore
package import GridRequests
internal import SwiftASN1
internal import X509

/// What is in a certificate, for people and programs.
package struct CertificateReport: Sendable, Equatable {
  /// Whom it stands for; nil when it names nobody, or more than one.
  package var identity: CertificateIdentity?
  /// Whether it is an authority's.
  package var isAuthority: Bool
  package var subject: String
  package var issuer: String
  package var serial: String
  package var notBefore: CalendarTime
  package var notAfter: CalendarTime
  /// SHA-256 over the whole certificate.
  package var fingerprint: String
  /// All its names.
  package var names: [String]

  /// The certificates in a PEM file, the first one first.
  ///
  /// - Throws: ``GridError/Code/configuration`` when there is none.
  package static func all(pem text: String) throws(GridError) -> [CertificateReport] {
    let documents: [PEMDocument]
    do {
      documents = try PEMDocument.parseMultiple(pemString: text)
    } catch {
      throw GridError(.configuration, "it is not PEM", cause: error)
    }
    let certificates = documents.filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
    guard !certificates.isEmpty else { throw GridError(.configuration, "it holds no certificate") }
    return try certificates.map { document throws(GridError) in try CertificateReport(der: document.derBytes) }
  }

  /// - Throws: ``GridError/Code/configuration`` for bytes that are no certificate.
  package init(der bytes: [UInt8]) throws(GridError) {
    let certificate: Certificate
    do {
      certificate = try Certificate(derEncoded: bytes)
    } catch {
      throw GridError(.configuration, "it is no certificate", cause: error)
    }
    let names = (try? certificate.extensions.subjectAlternativeNames).map { Array($0) } ?? []
    let dnsNames = names.compactMap { name -> String? in if case .dnsName(let text) = name { text } else { nil } }
    identity = try? CertificateIdentity(dnsNames: dnsNames)
    if case .isCertificateAuthority = try? certificate.extensions.basicConstraints {
      isAuthority = true
    } else {
      isAuthority = false
    }
    subject = String(describing: certificate.subject)
    issuer = String(describing: certificate.issuer)
    serial = certificate.serialNumber.bytes.map { Self.hexadecimal($0) }.joined(separator: ":")
    notBefore = CalendarTime(certificate.notValidBefore)
    notAfter = CalendarTime(certificate.notValidAfter)
    fingerprint = SHA256.hash(data: bytes).map { Self.hexadecimal($0) }.joined(separator: ":")
    self.names = names.map { Self.text($0) }
  }

  private static func text(_ name: GeneralName) -> String {
    switch name {
    case .dnsName(let text): text
    case .ipAddress(let address): addressText(Array(address.bytes))
    default: String(describing: name)
    }
  }

  private static func addressText(_ bytes: [UInt8]) -> String {
    let family = bytes.count == 4 ? AF_INET : bytes.count == 16 ? AF_INET6 : nil
    guard let family else { return bytes.map { hexadecimal($0) }.joined(separator: ":") }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }

  /// How it is at a time: `valid`, `expired`, or `not-yet-valid`.
  package func status(at now: CalendarTime) -> String {
    now < notBefore ? "not-yet-valid" : notAfter < now ? "expired" : "valid"
  }

  package func json(at now: CalendarTime) -> JSONValue {
    [
      "identity": .optional(identity?.dnsName), "name": .optional(identity?.name),
      "role": .optional(identity?.role.rawValue), "namespace": .optional(identity?.namespace),
      "readsBodies": identity.map { .bool($0.readsBodies) } ?? .null,
      "authority": .bool(isAuthority), "status": .string(status(at: now)),
      "notBefore": .string(notBefore.rfc3339), "notAfter": .string(notAfter.rfc3339),
      "fingerprint": .string("SHA256:" + fingerprint), "serial": .string(serial),
      "subject": .string(subject), "issuer": .string(issuer), "names": .array(names.map { .string($0) }),
    ]
  }
}
