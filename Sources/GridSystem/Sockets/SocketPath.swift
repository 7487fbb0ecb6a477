/// What holds for the paths of Unix sockets.
package enum SocketPath {
  /// The longest one: what the address structures of all systems have room for.
  package static let maximumBytes = 103
}
