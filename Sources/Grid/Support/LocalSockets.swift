internal import Glibc
internal import GridCore
internal import GridLink
internal import NIOCore

/// The sockets of the nodes of one namespace on this machine, and what is done about those of nodes that are gone.
package enum LocalSockets {
  /// What a search has found.
  package struct Found: Sendable, Equatable {
    /// The sockets, in the order in which they are to be tried.
    package var sockets: [String] = []
    /// Directories that are there and are not the user's to look into, each with the reason.
    package var passedBy: [String] = []
  }

  /// The sockets in all places where nodes of the namespace make them.
  ///
  /// - Throws: ``GridError/Code/refused`` when the directory in which the user's own nodes make theirs is somebody
  ///   else's; other places are passed by.
  package static func find(in directories: GridDirectories) throws(GridError) -> Found {
    var found = Found()
    for directory in directories.searched {
      do throws(GridError) {
        found.sockets += try find(in: directory)
      } catch {
        if directory == directories.runtime { throw error }
        found.passedBy.append(error.message)
      }
    }
    return found
  }

  /// The sockets in the directory, sorted; none when there is no directory.
  ///
  /// - Throws: ``GridError/Code/refused`` when the directory is somebody else's.
  static func find(in directory: String) throws(GridError) -> [String] {
    guard try PrivateDirectory.existsOwned(directory), let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var found: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".sock") { found.append(directory + "/" + name) }
    }
    return found.sorted()
  }

  /// Whether nobody listens at the socket any more. A paused node still does.
  package static func isAbandoned(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
    guard fits else { return false }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result != 0 && (errno == ECONNREFUSED || errno == ENOENT)
  }
}

/// What a node does about sockets of nodes that are gone.
enum StaleSocket {
  /// Removes the sockets of all nodes that are gone, and makes way for our own at `path`.
  ///
  /// Only for the holder of the directory's ``SocketDirectoryLock``: without it, a node between making its socket and
  /// listening at it would be taken for one that is gone.
  ///
  /// - Throws: ``GridError/Code/nameTaken`` when a node answers at `path`.
  static func remove(
    _ path: String, in directory: String, _ endpoint: LinkEndpoint, _ group: any EventLoopGroup
  ) async throws(GridError) {
    for other in try LocalSockets.find(in: directory) where other != path && LocalSockets.isAbandoned(other) {
      unlink(other)
    }
    guard access(path, F_OK) == 0 else { return }
    do throws(GridError) {
      let asking = endpoint.asClient
      let link = try await asking.dial(.unix(path: path), on: group, timeout: .seconds(1))
      link.close(GridError(.cancelled, "only looked whether it answers"))
    } catch {
      unlink(path)
      return
    }
    throw GridError(.nameTaken, "another node serves \(path)", hint: "choose another --name or runtime directory")
  }
}

/// Held while a node makes its socket: in one directory one node at a time does.
struct SocketDirectoryLock: ~Copyable {
  private let descriptor: Int32

  /// How long another node may take to make its socket.
  private static let patience = Duration.seconds(10)

  /// - Throws: ``GridError/Code/inputOutput`` when the directory cannot be locked, ``GridError/Code/retryLater`` when
  ///   another node holds the lock for too long.
  init(_ directory: String) async throws(GridError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(directory) }
    let limit = ContinuousClock.now + Self.patience
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        let error = Self.failure(directory)
        close(descriptor)
        throw error
      }
      do {
        guard ContinuousClock.now < limit else {
          throw GridError(
            .retryLater, "another node has been starting for long in \(directory)",
            hint: "is one of them paused? see: ps; then start again")
        }
        try await Task.sleep(for: .milliseconds(5))
      } catch {
        close(descriptor)
        throw GridError.wrapping(error, as: .failed, "the node was told to leave while it started")
      }
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  private static func failure(_ directory: String) -> GridError {
    GridError(.inputOutput, "cannot lock directory \(directory): \(String(cString: strerror(errno)))")
  }
}

/// The file of a socket that we made.
struct SocketFile: Sendable {
  private let path: String
  private let inode: UInt

  /// The file as it stands at `path` now.
  init(_ path: String) {
    self.path = path
    inode = Self.inode(path) ?? 0
  }

  /// Whether the path still leads to it.
  var isInPlace: Bool { Self.inode(path) == inode }

  /// Removes it, but not the one that a successor of the same name has put in its place.
  func remove() {
    if Self.inode(path) == inode { unlink(path) }
  }

  private static func inode(_ path: String) -> UInt? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt(status.st_ino) : nil
  }
}
