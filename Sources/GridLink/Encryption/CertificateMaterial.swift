internal import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOSSL

/// What the files of TLS held when they were read.
struct CertificateMaterial: Sendable {
  let dialling: NIOSSLContext
  /// Nil without a certificate of our own.
  let listening: NIOSSLContext?
  /// Our own certificate; nil without one.
  let own: CertificateFacts?

  private static let limit = 1024 * 1024
  private static let certificateFile = GuardedFile(
    noun: "certificate", isSecret: false, limit: limit, ownHint: "", leakHint: "")
  private static let keyFile = GuardedFile(
    noun: "key", isSecret: true, limit: limit, ownHint: "use a key of your own: name it with --tls-key",
    leakHint: "a new one: gridctl tls issue --force")
  /// With forward secrecy and authenticated encryption; TLS 1.3 has no others.
  private static let ciphers: [NIOTLSCipher] = [
    .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
  ]
  /// How long the other side's goodbye of TLS is waited for: ours of the link was said before.
  private static let shutdownTimeout = TimeAmount.milliseconds(500)

  /// Reads the files.
  ///
  /// - Parameter listens: whether connections are taken with it, too.
  /// - Throws: ``GridError`` with the file at fault.
  init(_ files: TLSFiles, listens: Bool) throws(GridError) {
    let roots = try Self.certificates(files.authority)
    var dialling = TLSConfiguration.makeClientConfiguration()
    // Nodes move; whom a certificate stands for is in the name of its owner, which the greeting looks at.
    dialling.certificateVerification = .noHostnameVerification
    Self.configure(&dialling, roots)
    guard let certificate = files.certificate, let key = files.key else {
      own = nil
      listening = nil
      self.dialling = try Self.context(dialling, files)
      return
    }
    let chain = try Self.certificates(certificate)
    own = chain.first.map { CertificateFacts($0) }
    let sources = chain.map { NIOSSLCertificateSource.certificate($0) }
    let privateKey = NIOSSLPrivateKeySource.privateKey(try Self.key(key))
    dialling.certificateChain = sources
    dialling.privateKey = privateKey
    self.dialling = try Self.context(dialling, files)
    guard listens else {
      listening = nil
      return
    }
    var listening = TLSConfiguration.makeServerConfiguration(certificateChain: sources, privateKey: privateKey)
    // Clients may come with a token, or with the secret.
    listening.certificateVerification = .optionalVerification
    listening.sendCANameList = true
    Self.configure(&listening, roots)
    self.listening = try Self.context(listening, files)
  }

  private static func configure(_ configuration: inout TLSConfiguration, _ roots: [NIOSSLCertificate]) {
    configuration.minimumTLSVersion = .tlsv12
    configuration.cipherSuiteValues = ciphers
    configuration.trustRoots = .certificates(roots)
    configuration.renegotiationSupport = .none
    configuration.shutdownTimeout = shutdownTimeout
  }

  private static func context(
    _ configuration: TLSConfiguration, _ files: TLSFiles
  ) throws(GridError) -> NIOSSLContext {
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw GridError(
        .configuration,
        files.key.map { "the key \($0) is not the one of the certificate \(files.certificate ?? "")" }
          ?? "TLS cannot use \(files.authority)",
        hint: "a certificate and its key are issued together: gridctl tls issue; see: gridctl tls show FILE",
        cause: error)
    }
  }

  private static func certificates(_ path: String) throws(GridError) -> [NIOSSLCertificate] {
    let bytes = try bytes(path, certificateFile)
    do {
      return try NIOSSLCertificate.fromPEMBytes(bytes)
    } catch {
      throw GridError(
        .configuration, "\(path) holds no certificate in PEM", hint: "see: gridctl tls show \(path)", cause: error)
    }
  }

  private static func key(_ path: String) throws(GridError) -> NIOSSLPrivateKey {
    let bytes = try bytes(path, keyFile)
    do {
      return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
    } catch {
      throw GridError(
        .configuration, "\(path) holds no key in PEM that can be used",
        hint: "a key with a password cannot be used: openssl pkey -in FILE -out \(path)")
    }
  }

  private static func bytes(_ path: String, _ file: GuardedFile) throws(GridError) -> [UInt8] {
    guard let bytes = try file.read(path) else {
      throw GridError(
        .noInput, "there is no \(file.noun) \(path)", hint: "issue one with: gridctl tls issue; see: gridctl help tls")
    }
    guard bytes.count <= limit else {
      throw GridError(.configuration, "the \(file.noun) \(path) has more than \(limit) bytes")
    }
    return bytes
  }
}
