internal import GridLink
internal import Synchronization

/// The connections of clients, so that a node that leaves can say so to each of them.
final class ClientLinks: Sendable {
  private let links = Mutex<[ObjectIdentifier: Link]>([:])

  func opened(_ link: Link) { links.withLock { $0[ObjectIdentifier(link)] = link } }

  func closed(_ link: Link) { links.withLock { $0[ObjectIdentifier(link)] = nil } }

  /// Says goodbye to all, behind the answers that they were given.
  func close(_ reason: String) {
    for link in links.withLock({ Array($0.values) }) { link.closeGracefully(reason) }
  }
}
