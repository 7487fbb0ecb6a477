internal import Crypto
internal import Foundation
package import GridCore
package import GridRequests
internal import SwiftASN1
internal import X509

/// A certificate with its key, in PEM, as it goes into files.
package struct IssuedCertificate: Sendable {
  package var certificate: String
  package var key: String
}

/// Whoever issues the certificates of a cluster: its nodes and clients believe those that it has signed.
package struct CertificateAuthority: Sendable {
  /// How long certificates are good for, unless it is said otherwise.
  package static let standardDays = 365
  package static let standardAuthorityDays = 3650
  package static let maximumDays = 36_500
  /// A certificate is good from a little before it was made: clocks differ.
  private static let backdating = Duration.seconds(300)
  /// The most characters of a common name (RFC 5280, appendix A).
  private static let maximumCommonName = 64

  private let certificate: Certificate
  private let key: Certificate.PrivateKey

  /// - Throws: ``GridError/Code/configuration`` when one of the two is not what it should be, or they do not belong
  ///   together.
  package init(certificate: String, key: String) throws(GridError) {
    do {
      self.certificate = try Certificate(pemEncoded: certificate)
      self.key = try Certificate.PrivateKey(pemEncoded: key)
    } catch {
      throw GridError(
        .configuration, "the authority's certificate or key cannot be read",
        hint: "a new authority: gridctl tls init-ca DIR", cause: error)
    }
    guard self.key.publicKey == self.certificate.publicKey else {
      throw GridError(.configuration, "the authority's key is not the one of its certificate")
    }
    guard case .isCertificateAuthority = try? self.certificate.extensions.basicConstraints else {
      throw GridError(
        .configuration, "the certificate is no authority's", hint: "a new authority: gridctl tls init-ca DIR")
    }
  }

  /// A new authority.
  ///
  /// - Throws: ``GridError/Code/usage`` for a number of days that will not do.
  package static func make(days: Int, now: CalendarTime) throws(GridError) -> IssuedCertificate {
    let (from, to) = try validity(days, now)
    let key = P256.Signing.PrivateKey()
    let (privateKey, publicKey) = (Certificate.PrivateKey(key), Certificate.PublicKey(key.publicKey))
    do {
      let name = try DistinguishedName {
        // Told apart from another one that takes its place.
        CommonName("gridctl authority \(hexadecimal(publicKey.subjectPublicKeyInfoBytes, bytes: 4))")
      }
      let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey, notValidBefore: from,
        notValidAfter: to, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
          Critical(KeyUsage(keyCertSign: true, cRLSign: true))
          SubjectKeyIdentifier(hash: publicKey)
        }, issuerPrivateKey: privateKey)
      return try issued(certificate, privateKey)
    } catch {
      throw GridError(.failed, "the authority cannot be made", cause: error)
    }
  }

  /// A certificate for somebody, with a new key.
  ///
  /// - Parameter names: further names, for programs that look at those: host names and IP addresses.
  /// - Throws: ``GridError/Code/usage`` for names or days that will not do.
  package func issue(
    _ identity: CertificateIdentity, names: [String] = [], days: Int = CertificateAuthority.standardDays,
    now: CalendarTime
  ) throws(GridError) -> IssuedCertificate {
    let (from, to) = try Self.validity(days, now)
    guard to <= certificate.notValidAfter else {
      throw GridError(
        .usage, "the authority is good until \(CalendarTime(certificate.notValidAfter).rfc3339) only",
        hint: "--days with fewer, or a new authority: gridctl tls init-ca DIR")
    }
    let others = try names.map { name throws(GridError) in try Self.otherName(name) }
    let key = P256.Signing.PrivateKey()
    let (privateKey, publicKey) = (Certificate.PrivateKey(key), Certificate.PublicKey(key.publicKey))
    // Only nodes are dialled.
    let usages: [ExtendedKeyUsage.Usage] = identity.role == .node ? [.serverAuth, .clientAuth] : [.clientAuth]
    do {
      let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey, notValidBefore: from,
        notValidAfter: to, issuer: self.certificate.subject,
        subject: try DistinguishedName { CommonName(String(identity.name.prefix(Self.maximumCommonName))) },
        signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.notCertificateAuthority)
          Critical(KeyUsage(digitalSignature: true))
          try ExtendedKeyUsage(usages)
          SubjectAlternativeNames([.dnsName(identity.dnsName)] + others)
          SubjectKeyIdentifier(hash: publicKey)
          AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: self.certificate.publicKey).keyIdentifier)
        }, issuerPrivateKey: self.key)
      return try Self.issued(certificate, privateKey)
    } catch {
      throw GridError(.failed, "the certificate cannot be issued", cause: error)
    }
  }

  private static func validity(_ days: Int, _ now: CalendarTime) throws(GridError) -> (from: Date, to: Date) {
    guard (1...maximumDays).contains(days) else {
      throw GridError(.usage, "a certificate is good for 1 to \(maximumDays) days")
    }
    let now = Date(timeIntervalSince1970: Double(now.millisecondsSince1970 / 1000))
    return (now - backdating.inSeconds, now + Double(days) * 86_400)
  }

  private static func otherName(_ text: String) throws(GridError) -> GeneralName {
    if let address = IPAddressBytes(text) { return .ipAddress(ASN1OctetString(contentBytes: address.bytes[...])) }
    guard CertificateIdentity(dnsName: text) == nil else {
      throw GridError(.usage, "\(text) is an identity: nobody is two people", hint: "issue that one by itself")
    }
    let isName =
      (1...253).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        !label.isEmpty
          && label.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
              || [0x2A, 0x2D, 0x5F].contains(byte)
          }
      }
    guard isName else {
      throw GridError(.usage, "\(NameRules.quoted(text)) is neither a host's name nor an IP address")
    }
    return .dnsName(text)
  }

  private static func issued(
    _ certificate: Certificate, _ key: Certificate.PrivateKey
  ) throws -> IssuedCertificate {
    IssuedCertificate(
      certificate: try certificate.serializeAsPEM().pemString + "\n", key: try key.serializeAsPEM().pemString + "\n")
  }

  /// The first bytes of a digest.
  private static func hexadecimal(_ data: some DataProtocol, bytes: Int) -> String {
    SHA256.hash(data: data).prefix(bytes).map { CertificateReport.hexadecimal($0) }.joined()
  }
}

/// An IP address as a certificate holds it.
private struct IPAddressBytes {
  var bytes: [UInt8]

  init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: &four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      bytes = withUnsafeBytes(of: &six) { Array($0) }
    } else {
      return nil
    }
  }
}

extension CalendarTime {
  /// The date of a certificate; one beyond all measure becomes the end of the scale.
  init(_ date: Date) {
    let milliseconds = date.timeIntervalSince1970 * 1000
    self.init(millisecondsSince1970: Int64(exactly: milliseconds.rounded()) ?? (milliseconds < 0 ? .min : .max))
  }
}
