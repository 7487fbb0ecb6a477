internal import FuzzSupport
internal import GridCore

@testable internal import GridLink

/// A text as each sort of address, and as a token: what is accepted is read from its own text again.
let addressTarget = FuzzTarget("address") { bytes in
  let text = String(decoding: bytes, as: UTF8.self)
  if let address = try? ActorAddress(parsing: text) {
    try promise(address.text == text, "an address is another text than was typed")
    try promise(!address.text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }), "an address has odd characters")
    if case .local(let local) = address.form {
      try promise(local.description == text, "\(text) is written as \(local)")
    }
  }
  if let address = try? LinkAddress(parsing: text) {
    let again = try? LinkAddress(parsing: address.description)
    try promise(again == address, "\(address) is read as \(again.map(\.description) ?? "nothing")")
  }
  for candidate in [text, "gridctl-" + text] {
    guard let token = try? AccessToken(parsing: candidate) else { continue }
    let again = try AccessToken(parsing: token.text)
    try promise(again.text == token.text && again.identifier == token.identifier, "a token changes its text")
    try promise(token.text.utf8.elementsEqual(candidate.utf8), "a token has more than one text")
  }
}
