internal import Glibc
internal import GridCore
internal import GridLink
internal import NIOCore

/// What a node does about sockets of nodes that are gone.
enum StaleSocket {
  /// Removes a socket whose node is gone; one that answers belongs to a living node.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when it answers.
  static func remove(
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
