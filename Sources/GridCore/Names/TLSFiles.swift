/// The files of TLS, all of them PEM: whom we believe, and who we are.
public struct TLSFiles: Sendable, Hashable {
  /// The certificate of the authority that has issued those of the cluster; of several, when it is being replaced.
  public var authority: String
  /// Our own certificate, and after it those between it and the authority; nil for a client that shows a token or the
  /// secret of the namespace instead.
  public var certificate: String?
  /// The key of ``certificate``, which nobody else may read.
  public var key: String?

  public init(authority: String, certificate: String? = nil, key: String? = nil) {
    self.authority = authority
    self.certificate = certificate
    self.key = key
  }

  /// - Parameter names: what names the three for whoever reads the error.
  /// - Throws: ``GridError/Code/usage`` when one of them is missing that the others need.
  package init?(
    authority: String?, certificate: String?, key: String?,
    names: (authority: String, certificate: String, key: String) = ("--tls-ca", "--tls-cert", "--tls-key")
  ) throws(GridError) {
    if authority == nil, certificate == nil, key == nil { return nil }
    guard let authority else {
      throw GridError(
        .usage, "TLS needs the certificate of an authority",
        hint: "name it with \(names.authority); a new one: gridctl tls init-ca DIR")
    }
    guard (certificate == nil) == (key == nil) else {
      throw GridError(
        .usage, certificate == nil ? "a key needs its certificate" : "a certificate needs its key",
        hint: "name it with \(certificate == nil ? names.certificate : names.key)")
    }
    self.init(authority: authority, certificate: certificate, key: key)
  }
}
