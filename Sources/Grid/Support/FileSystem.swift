internal import Glibc
internal import GridCore
internal import GridLink
internal import NIOCore

/// The few things a node does to the file system itself.
enum FileSystem {
  /// Makes a directory and its parents, private to the user (mode 0700).
  ///
  /// - Throws: ``GridError/Code/inputOutput`` or ``GridError/Code/refused`` with the path and what to do.
  static func makePrivateDirectory(_ path: String) throws(GridError) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o700) != 0, errno != EEXIST {
        let reason = String(cString: strerror(errno))
        throw GridError(
          errno == EACCES || errno == EROFS ? .refused : .inputOutput, "cannot make directory \(made): \(reason)",
          hint: "choose another one with --state-dir, XDG_STATE_HOME or XDG_RUNTIME_DIR")
      }
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw GridError(
        .refused, "cannot write to directory \(path): \(String(cString: strerror(errno)))",
        hint: "choose another one with --state-dir, XDG_STATE_HOME or XDG_RUNTIME_DIR")
    }
  }

  /// Removes a socket whose node is gone; one that answers belongs to a living node.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when it answers.
  static func removeStaleSocket(
    _ path: String, _ endpoint: LinkEndpoint, _ group: any EventLoopGroup
  ) async throws(GridError) {
    guard access(path, F_OK) == 0 else { return }
    do throws(GridError) {
      let link = try await endpoint.dial(.unix(path: path), on: group, timeout: .seconds(1))
      link.close(GridError(.cancelled, "only looked whether it answers"))
    } catch {
      unlink(path)
      return
    }
    throw GridError(.nameTaken, "another node serves \(path)", hint: "choose another --name or runtime directory")
  }
}
