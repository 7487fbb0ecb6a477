extension String {
  /// The offsets, in UTF-8 bytes, at which `token` stands by itself: neither its first nor its last character is part
  /// of a longer word.
  func places(of token: String) -> [Int] {
    let text = Array(utf8)
    let wanted = Array(token.utf8)
    guard let first = wanted.first, let last = wanted.last, text.count >= wanted.count else { return [] }
    var places: [Int] = []
    for place in 0...(text.count - wanted.count) where text[place] == first {
      guard text[place..<place + wanted.count].elementsEqual(wanted) else { continue }
      let before = place > 0 ? text[place - 1] : 0x20
      let after = place + wanted.count < text.count ? text[place + wanted.count] : 0x20
      if first.isWordByte, before.isWordByte || before == UInt8(ascii: "@") { continue }
      if last.isWordByte, after.isWordByte { continue }
      places.append(place)
    }
    return places
  }

  func hasToken(_ token: String) -> Bool { !places(of: token).isEmpty }
}

extension UInt8 {
  /// Whether the byte can stand inside a Swift identifier; bytes outside ASCII can.
  var isWordByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
      true
    default: false
    }
  }
}
