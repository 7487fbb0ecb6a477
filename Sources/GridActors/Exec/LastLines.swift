internal import DequeModule
internal import GridCore

/// The last lines a program wrote to standard error, printable and bounded, for whoever asks why it ended.
struct LastLines {
  static let maximumLines = 8
  static let maximumLineBytes = 200

  private var lines: Deque<String> = []

  mutating func note(_ line: [UInt8]) {
    guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return }
    if lines.count == Self.maximumLines { lines.removeFirst() }
    let end = line.last == 0x0D ? line.dropLast() : line[...]
    lines.append(PrintableText.of(end.drop { $0 == 0x20 || $0 == 0x09 }, limit: Self.maximumLineBytes))
  }

  /// The lines as one; nil when there was none.
  var text: String? { lines.isEmpty ? nil : lines.joined(separator: " | ") }
}
