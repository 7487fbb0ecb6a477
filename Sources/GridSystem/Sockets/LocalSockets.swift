internal import Glibc
package import GridCore

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
  package static func find(in directory: String) throws(GridError) -> [String] {
    guard try PrivateDirectory.existsOwned(directory), let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var found: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".sock"), entry.pointee.d_type != UInt8(DT_LNK) { found.append(directory + "/" + name) }
    }
    return found.sorted()
  }

  /// Whether nobody listens at the socket any more. A paused node still does.
  package static func isAbandoned(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard let result = SocketPath.withAddress(of: path, { connect(descriptor, $0, $1) }) else { return false }
    return result != 0 && (errno == ECONNREFUSED || errno == ENOENT)
  }
}
