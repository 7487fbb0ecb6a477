internal import Glibc
internal import GridCore
internal import GridLink
internal import GridSystem

/// What a node does about sockets of nodes that are gone.
enum StaleSocket {
  /// Removes the sockets of all nodes that are gone, and makes way for our own at `path`.
  ///
  /// Only for the holder of the directory's ``SocketDirectoryLock``: without it, a node between making its socket and
  /// listening at it would be taken for one that is gone.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when a node answers at `path`, ``GridError/Code/refused`` for a link.
  static func remove(
    _ path: String, in directory: String, _ endpoint: LinkEndpoint
  ) async throws(GridError) {
    for other in try LocalSockets.find(in: directory) where other != path && LocalSockets.isAbandoned(other) {
      unlink(other)
    }
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    // Nobody of ours made that: what it leads to is neither looked at nor removed.
    guard status.st_mode & S_IFMT != S_IFLNK else {
      throw GridError(
        .refused, "\(path) is a symbolic link, which no node follows", hint: "see who put it there, and remove it")
    }
    do throws(GridError) {
      let asking = endpoint.asClient
      let link = try await asking.dial(.unix(path: path), timeout: .seconds(1))
      link.close(GridError(.cancelled, "only looked whether it answers"))
    } catch {
      unlink(path)
      return
    }
    throw GridError(.nameTaken, "another node serves \(path)", hint: "choose another --name or runtime directory")
  }
}
