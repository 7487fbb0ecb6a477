package import GridCore
package import GridRequests
internal import GridSystem
package import NIOCore
internal import NIOSSL
internal import Synchronization

/// TLS with certificates from files: both sides believe those that one authority has issued. A side that listens has
/// one; a side that dials may show one.
///
/// The files are looked at for new connections, and read again when they have changed, so that a certificate is
/// replaced without a restart; open connections stay as they are. Files that cannot be used leave the ones before.
package final class CertificateEncryption: LinkEncryption {
  private struct State {
    var material: CertificateMaterial
    var stamps: [FileStamp?]
    var nextLook: MonotonicTime
    var fault: GridError?
  }

  /// The files are looked at once within so long.
  private static let interval = Duration.seconds(1)

  private let files: TLSFiles
  private let listens: Bool
  private let clock: any GridClock
  private let reloaded: @Sendable (Result<CertificateFacts?, GridError>) -> Void
  private let state: Mutex<State>

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - listens: whether connections are taken with it, too.
  ///   - reloaded: told of files that have changed: our own certificate as it is now, or why they cannot be used.
  /// - Throws: ``GridError`` with the file at fault.
  package init(
    _ files: TLSFiles, listens: Bool, clock: any GridClock,
    reloaded: @escaping @Sendable (Result<CertificateFacts?, GridError>) -> Void = { _ in }
  ) throws(GridError) {
    self.files = files
    self.listens = listens
    self.clock = clock
    self.reloaded = reloaded
    let stamps = Self.stamps(of: files)
    state = Mutex(
      State(
        material: try CertificateMaterial(files, listens: listens), stamps: stamps,
        nextLook: clock.now() + Self.interval))
  }

  /// Our own certificate, of the files as they are now; nil without one.
  package var own: CertificateFacts? { current().own }

  /// Why the files as they are now cannot be used, so that those before stay; nil when they can.
  package var fault: GridError? {
    _ = current()
    return state.withLock { $0.fault }
  }

  /// The certificate to show: why it cannot be used now; nil when it can, or when there is none.
  package var objection: GridError? {
    own?.objection(at: clock.date(), "the certificate \(files.certificate ?? "")")
  }

  private static func stamps(of files: TLSFiles) -> [FileStamp?] {
    [files.authority, files.certificate, files.key].map { $0.flatMap { FileStamp($0) } }
  }

  private func current() -> CertificateMaterial {
    let now = clock.now()
    let (material, known) = state.withLock { state -> (CertificateMaterial, [FileStamp?]?) in
      guard now >= state.nextLook else { return (state.material, nil) }
      state.nextLook = now + Self.interval
      return (state.material, state.stamps)
    }
    guard let known else { return material }
    let stamps = Self.stamps(of: files)
    return stamps == known ? material : reload(stamps) ?? material
  }

  /// - Returns: nil when the files cannot be used; they are tried again when they have changed again.
  private func reload(_ stamps: [FileStamp?]) -> CertificateMaterial? {
    do throws(GridError) {
      let material = try CertificateMaterial(files, listens: listens)
      let own = try material.own?.identity
      try state.withLock { state throws(GridError) in
        let before = state.material.own.flatMap { try? $0.identity }
        // A node does not become another one while it runs.
        guard !listens || own == before else {
          throw GridError(
            .configuration,
            "the certificate \(files.certificate ?? "") is of \(own?.dnsName ?? "nobody") now, and was of "
              + "\(before?.dnsName ?? "nobody")", hint: "start the node again with it, or put the one before back")
        }
        (state.material, state.stamps, state.fault) = (material, stamps, nil)
      }
      reloaded(.success(material.own))
      return material
    } catch {
      state.withLock { ($0.stamps, $0.fault) = (stamps, error) }
      reloaded(.failure(error))
      return nil
    }
  }

  // MARK: Connections

  package func protect(_ channel: any Channel, dials: Bool) throws(GridError) {
    let material = current()
    if dials, let objection { throw objection }
    do {
      let encryption: NIOSSLHandler
      if dials {
        encryption = try NIOSSLClientHandler(context: material.dialling, serverHostname: nil)
      } else if let context = material.listening {
        encryption = NIOSSLServerHandler(context: context)
      } else {
        throw GridError(.configuration, "a node that listens with TLS has a certificate", hint: "see: gridctl help tls")
      }
      let files = files
      let clock = clock
      let faults = EncryptionFaults { other in
        EncryptionExplanation(
          dials: dials, authority: files.authority, certificate: files.certificate, own: material.own,
          other: other, now: clock.date())
      }
      try channel.pipeline.syncOperations.addHandlers(PlaintextDetector(dials: dials), encryption, faults)
    } catch {
      throw GridError.wrapping(error, as: .configuration, "the connection cannot be encrypted")
    }
  }

  package func identity(of channel: any Channel) throws(GridError) -> CertificateIdentity? {
    let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
    guard let certificate = handler?.peerCertificate else { return nil }
    let facts = CertificateFacts(certificate)
    // One that was believed earlier may come with a session that is taken up again.
    if let objection = facts.objection(at: clock.date(), "the certificate of \(facts.described)") { throw objection }
    return try facts.identity
  }

  package func explanation(of error: any Error) -> GridError? { error as? GridError }
}
