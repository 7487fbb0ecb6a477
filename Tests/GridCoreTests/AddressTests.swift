import GridCore
import Testing

@Suite struct AddressTests {
  private static let local = LocalAddress(kind: "echo", number: 7, node: "n1", incarnation: 42)

  @Test(
    arguments: [
      ("orders", .name("orders")), ("n1", .name("n1")),
      ("cart/17", .virtual(kind: "cart", identity: "17")),
      ("cart/user:a.b@x+1_-", .virtual(kind: "cart", identity: "user:a.b@x+1_-")),
      ("echo~7@n1.42", .local(local)),
      (
        "a-b_c~18446744073709551615@N.9223372036854775807",
        .local(LocalAddress(kind: "a-b_c", number: .max, node: "N", incarnation: .max))
      ),
    ] as [(String, ActorAddress.Form)])
  func `an address is printed as it is typed`(_ text: String, _ form: ActorAddress.Form) throws {
    let address = try ActorAddress(parsing: text)
    #expect(address.form == form && address.text == text && "\(address)" == text)
    guard case .local(let local) = form else { return }
    #expect(ActorAddress(local) == address && address.local == local)
  }

  @Test(arguments: [
    ("", "it is empty"), ("-a", "it starts with '-'"), ("a b", "it has a space"), ("a.b", "it has '.'"),
    ("a@b", "it has '@'"), ("/x", "its kind: it is empty"), ("a b/x", "its kind: it has a space"),
    ("cart/", "its identity: it is empty"), ("cart/a/b", "its identity: it has something else"),
    ("cart/a b", "its identity: it has something else"), ("cart/ä", "its identity: it has something else"),
    ("cart/a~b", "its identity: it has something else"),
    ("cart/" + String(repeating: "x", count: 257), "its identity: it has 257 bytes"),
    ("echo~7", "it has no @NODE.INCARNATION"), ("echo@n1.42~7", "it has its ~ behind the @"),
    ("echo~7@n1", "its node has no .INCARNATION"), ("~7@n1.42", "its kind: it is empty"),
    ("echo~7@.42", "its node: it is empty"), ("echo~0@n1.42", "\"0\" is no number from 1"),
    ("echo~07@n1.42", "\"07\" is no number"), ("echo~+7@n1.42", "\"+7\" is no number"),
    ("echo~18446744073709551616@n1.42", "is no number"), ("echo~x@n1.42", "\"x\" is no number"),
    ("echo~7@n1.-1", "\"-1\" is no incarnation"), ("echo~7@n1.042", "\"042\" is no incarnation"),
    ("echo~7@n1.", "\"\" is no incarnation"), ("echo~7@n1.9223372036854775808", "is no incarnation"),
    ("echo~7@n1.4.2", "\"4.2\" is no incarnation"),
  ])
  func `what is none is refused with what is wrong`(_ text: String, _ fault: String) {
    let error = #expect(throws: GridError.self) { try ActorAddress(parsing: text) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains(fault) == true, "\(error?.message ?? "")")
    #expect(ActorAddress(unchecked: text).form == .name(text))
    #expect(ActorAddress(unchecked: text).local == nil)
  }

  @Test func `no two texts are the same local address`() throws {
    var generator = SeededGenerator(seed: 1)
    let parts = ["echo", "~", "@", ".", "7", "0", "n1", "42", "/", "-", "+", " ", "٧"]
    var seen: [ActorAddress.Form: String] = [:]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...7, using: &generator)).map { _ in
        parts[Int.random(in: 0..<parts.count, using: &generator)]
      }.joined()
      guard let address = try? ActorAddress(parsing: text) else { continue }
      let other = seen.updateValue(text, forKey: address.form)
      #expect(other == nil || other == text)
      // Nothing in it that a shell would look at twice.
      #expect(!text.contains(where: { " \\$`\"'*?[]{}()<>|&;!#\n\t".contains($0) }) && !text.hasPrefix("~"))
    }
    #expect(seen.count > 50)
  }
}
