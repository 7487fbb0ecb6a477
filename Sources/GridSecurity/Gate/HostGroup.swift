internal import Glibc

/// Which addresses are limited together. Pure.
package enum HostGroup: Hashable, Sendable {
  /// This machine: behind it are all of its users.
  case loopback
  case version4(UInt32)
  /// The first 64 bits: whoever has one address of a network has all of them.
  case version6(UInt64)
  /// What is no address: whoever had gone when it was asked for, and hears nothing.
  case unknown

  package init(_ host: String) {
    // An address of a link has the name of its interface behind it.
    let text = String(host.prefix { $0 != "%" })
    var version4 = in_addr()
    if inet_pton(AF_INET, text, &version4) == 1 {
      self = Self.of(UInt32(bigEndian: version4.s_addr))
      return
    }
    var version6 = in6_addr()
    guard inet_pton(AF_INET6, text, &version6) == 1 else {
      self = text == "localhost" ? .loopback : .unknown
      return
    }
    let (high, low) = withUnsafeBytes(of: version6) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    switch (high, low) {
    case (0, 1): self = .loopback
    // ::ffff:a.b.c.d is a.b.c.d to a socket of both versions.
    case (0, let low) where low >> 32 == 0xFFFF: self = Self.of(UInt32(truncatingIfNeeded: low))
    default: self = .version6(high)
    }
  }

  private static func of(_ address: UInt32) -> HostGroup { address >> 24 == 127 ? .loopback : .version4(address) }
}
