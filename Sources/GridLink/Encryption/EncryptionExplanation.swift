internal import GridCore
internal import GridRequests

/// Why TLS did not come about, in words and with what to do.
struct EncryptionExplanation {
  /// Whether we have dialled.
  var dials: Bool
  var authority: String
  /// The file with our own certificate; nil without one.
  var certificate: String?
  var own: CertificateFacts?
  /// What the other side has shown; nil when it has shown none.
  var other: CertificateFacts?
  var now: CalendarTime

  /// BoringSSL's numbers (`ssl.h`).
  enum Reason {
    static let verificationFailed = 125
    static let versions = [240, 247, 258, 305, 1070]
    static let ciphers = [184, 1040, 1071]
    /// Alerts of the other side have 1000 added (RFC 8446, section 6).
    static let badCertificate = [1042, 1043, 1044, 1046, 1049]
    static let expired = 1045
    static let unknownAuthority = 1048
    static let certificateRequired = [192, 1041, 1116]
  }

  /// - Parameter reason: BoringSSL's number.
  /// - Returns: nil for one that nobody can do anything about.
  func error(for reason: Int) -> GridError? {
    switch reason {
    case Reason.verificationFailed: notBelieved
    case Reason.expired, Reason.unknownAuthority: notBelievedThere(reason)
    case _ where Reason.badCertificate.contains(reason): notBelievedThere(reason)
    case _ where Reason.certificateRequired.contains(reason):
      GridError(.refused, "no certificate was shown", hint: "name one with --tls-cert and --tls-key")
    case _ where Reason.versions.contains(reason):
      GridError(.protocolMismatch, "the two sides have no version of TLS in common; 1.2 is the least")
    case _ where Reason.ciphers.contains(reason):
      GridError(.protocolMismatch, "the two sides have no cipher of TLS in common")
    default: nil
    }
  }

  /// For all other faults.
  func error(_ cause: any Error) -> GridError {
    GridError(.protocolMismatch, "TLS could not be agreed on", cause: cause)
  }

  /// Whoever does not like what it is shown may end without a word.
  var endDuringHandshake: GridError {
    GridError(
      .unavailable, "the connection was closed before TLS was agreed on",
      hint: dials ? "the log of the node says why, from --log-level info on" : nil)
  }

  /// We do not believe the other side.
  private var notBelieved: GridError {
    guard let other else {
      return GridError(.refused, "the certificate of the other side is not believed", hint: "see: gridctl help tls")
    }
    let what = "the certificate of \(other.described)"
    if let objection = other.objection(at: now, what) { return objection }
    if dials, let identity = try? other.identity, identity.role != .node {
      return GridError(.refused, "\(what) is for no node", hint: "issue one with: gridctl tls issue --role node")
    }
    return GridError(
      .refused, "\(what) is of another authority than \(authority)",
      hint: "all nodes and clients of a cluster need certificates of one authority; see: gridctl tls show \(authority)")
  }

  /// The other side does not believe us. Whoever has dialled and does not has not failed to log in.
  private func notBelievedThere(_ reason: Int) -> GridError {
    let file = "the certificate \(certificate ?? "")"
    let code = dials ? GridError.Code.refused : .unavailable
    if let objection = own?.objection(at: now, file) {
      return GridError(code, objection.message, hint: objection.hint)
    }
    switch reason {
    case Reason.expired:
      return GridError(
        code, "the other side says that \(file) has expired; it expires \(own?.notAfter.rfc3339 ?? "")",
        hint: "is the clock of one of the two machines wrong?")
    case Reason.unknownAuthority:
      return GridError(
        code, "the other side does not know the authority that has issued \(file)",
        hint: "all nodes and clients of a cluster need certificates of one authority; see: gridctl tls verify")
    default:
      return GridError(
        code, "the other side does not believe \(file)",
        hint: "the log of the other side says why, from --log-level info on; see: gridctl tls show "
          + "\(certificate ?? "FILE")")
    }
  }
}
