internal import GridCore
internal import GridLink
internal import Testing

@Suite("Addresses to listen at")
struct LinkAddressTests {
  @Test(
    "only those of this machine count as local, and no names that look like them",
    arguments: [
      ("127.0.0.1:1", true), ("127.1:1", true), ("localhost:1", true), ("[::1]:1", true), ("unix:/run/a.sock", true),
      ("127.example.org:1", false), ("127.0.0.1.example.org:1", false), ("0.0.0.0:1", false), ("[::]:1", false),
      ("10.0.0.1:1", false), ("127.0.0.1%x:1", false),
    ] as [(String, Bool)])
  func isLocal(text: String, isLocal: Bool) throws { #expect(try LinkAddress(parsing: text).isLocal == isLocal) }

  @Test(
    "a host is written as resolvers know it",
    arguments: ["[h]]:1", "[\u{301}h]:1", "h\u{605}x:1", "h\u{1}:1", "a b:1", ":1", "h:", "h:x", "1:2:3"])
  func refuses(text: String) { #expect(throws: GridError(.usage, "")) { try LinkAddress(parsing: text) } }
}
