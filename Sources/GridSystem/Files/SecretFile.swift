internal import Glibc
package import GridCore

/// The file with the secret of a namespace: ``NamespaceSecret/byteCount`` bytes that nobody but its user reads.
package enum SecretFile {
  /// The name of the file that a node makes in its state directory.
  package static let name = "secret"

  private static let file = GuardedFile(
    noun: "secret", isSecret: true, limit: NamespaceSecret.byteCount,
    ownHint: "use a copy of your own: name it with --secret-file", leakHint: "a new one for all nodes and clients")

  /// - Returns: nil when there is no such file.
  /// - Throws: ``GridError/Code/refused`` when others can read it or it is another user's,
  ///   ``GridError/Code/configuration`` when it is no secret, ``GridError/Code/inputOutput`` when it cannot be read.
  package static func read(_ path: String) throws(GridError) -> NamespaceSecret? {
    guard let bytes = try file.read(path) else { return nil }
    guard let secret = NamespaceSecret(bytes) else {
      throw GridError(
        .configuration, "the secret \(path) has not \(NamespaceSecret.byteCount) bytes",
        hint: "copy the one of another node of the namespace there, or remove it: the next node makes a new one")
    }
    return secret
  }

  /// The secret that a client is to prove.
  ///
  /// - Throws: what ``read(_:)`` throws, and ``GridError/Code/refused`` with what to do when there is none.
  package static func readForClient(_ path: String, namespace: String) throws(GridError) -> NamespaceSecret {
    if let secret = try read(path) { return secret }
    throw GridError(
      .refused, "it wants proof of the secret of namespace \(namespace), and there is no \(path)",
      hint: "copy the file of one of its nodes (secret in its state directory) there, or name it with --secret-file; "
        + "on the node's machine its user needs neither it nor --endpoint")
  }

  /// The secret, made by whoever is first: of several at once all get the same.
  ///
  /// - Throws: what ``read(_:)`` throws, and ``GridError/Code/inputOutput`` when it cannot be made.
  package static func readOrMake(_ path: String) throws(GridError) -> NamespaceSecret {
    if let secret = try read(path) { return secret }
    var generator = SystemRandomNumberGenerator()
    try put((0..<NamespaceSecret.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }, at: path)
    guard let secret = try read(path) else {
      throw GridError(.inputOutput, "the secret \(path) was removed while the node started", hint: "start it again")
    }
    return secret
  }

  /// Puts the secret that the nodes have back where the next one looks for it, when its file was removed.
  package static func restore(_ secret: NamespaceSecret, at path: String) throws(GridError) {
    if access(path, F_OK) != 0, errno == ENOENT { try put(secret.bytes, at: path) }
  }

  /// Puts a whole file in place, unless there is one by now.
  private static func put(_ bytes: [UInt8], at path: String) throws(GridError) {
    let part = "\(path).\(UInt64.random(in: 0...UInt64.max)).part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw file.failure("make", path) }
    defer {
      close(descriptor)
      unlink(part)
    }
    // On the disk before anybody finds it: after a power cut there is a secret or none.
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      throw file.failure("make", path)
    }
    if link(part, path) != 0, errno != EEXIST { throw file.failure("make", path) }
  }
}
