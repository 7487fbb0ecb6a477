/// What a terminal shows after the bytes it was sent: the part of a VT100 and xterm that the session and readline use.
///
/// Knows: text with wrapping at the margin, CR LF BS TAB BEL, cursor moves (CUU CUD CUF CUB CUP CHA VPA), erasing (ED
/// EL ECH), inserting and deleting characters and lines, scrolling, reverse index, saved cursor, and modes that it only
/// counts. An unknown sequence is kept in ``unknown``, so that a test can see that there was none.
struct ScreenModel {
  private(set) var rows: Int
  private(set) var columns: Int
  private(set) var row = 0
  private(set) var column = 0
  /// Lines that have left the screen at its top, oldest first.
  private(set) var history: [String] = []
  private(set) var unknown: [String] = []
  private(set) var isPasting = false
  private(set) var bells = 0
  private var cells: [[Character]]
  /// The cursor stands behind the last column: the next character goes to the next line.
  private var wrapsNext = false
  private var saved = (row: 0, column: 0)
  private var pending: [UInt8] = []

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
  }

  /// The lines of the screen without blanks at their ends.
  var lines: [String] { cells.map { Self.trimmed($0) } }

  /// The screen as text, without empty lines at its end.
  var text: String {
    var lines = lines
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  /// Everything that was shown, what has scrolled away included.
  var fullText: String { (history + [text]).joined(separator: "\n") }

  /// Everything that was shown, without the remarks of how long a line took: which lines are slow is up to the machine.
  var untimedText: String { fullText.replacing(/\n\([0-9.]+(ms|s)\)(?=\n)/, with: "") }

  /// The line that the cursor stands in.
  var cursorLine: String { lines[row] }

  private static func trimmed(_ cells: [Character]) -> String {
    var line = String(cells)
    while line.last == " " { line.removeLast() }
    return line
  }

  mutating func resize(rows: Int, columns: Int) {
    // As xterm does: lines keep their beginnings, nothing is wrapped anew.
    var resized = cells.map { line in Array((line + Array(repeating: " ", count: columns)).prefix(columns)) }
    while resized.count > rows {
      history.append(Self.trimmed(resized.removeFirst()))
      row = max(0, row - 1)
    }
    while resized.count < rows { resized.append(Array(repeating: " ", count: columns)) }
    cells = resized
    self.rows = rows
    self.columns = columns
    row = min(row, rows - 1)
    column = min(column, columns - 1)
    wrapsNext = false
  }

  // MARK: Bytes

  mutating func feed(_ bytes: some Sequence<UInt8>) {
    pending += bytes
    var place = 0
    while place < pending.count, let used = consume(at: place) { place += used }
    pending.removeFirst(place)
  }

  /// Takes one character or sequence; nil when it is not complete yet.
  private mutating func consume(at place: Int) -> Int? {
    switch pending[place] {
    case 0x1B: return escape(at: place)
    case 0x0D: moveTo(row, 0)
    case 0x0A: lineFeed()
    case 0x08: moveTo(row, max(0, column - 1))
    case 0x09: moveTo(row, min(columns - 1, (column / 8 + 1) * 8))
    case 0x07: bells += 1
    case 0x00..<0x20: unknown.append("control \(pending[place])")
    default: return character(at: place)
    }
    return 1
  }

  private mutating func character(at place: Int) -> Int? {
    let first = pending[place]
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
    guard place + length <= pending.count else { return nil }
    put(String(decoding: pending[place..<place + length], as: UTF8.self).first ?? "?")
    return length
  }

  private mutating func put(_ character: Character) {
    if wrapsNext {
      column = 0
      lineFeed()
    }
    cells[row][column] = character
    wrapsNext = column == columns - 1
    column = min(columns - 1, column + 1)
  }

  private mutating func lineFeed() {
    wrapsNext = false
    if row == rows - 1 { scroll(from: 0) } else { row += 1 }
  }

  private mutating func scroll(from top: Int) {
    let gone = cells.remove(at: top)
    if top == 0 { history.append(Self.trimmed(gone)) }
    cells.append(Array(repeating: " ", count: columns))
  }

  private mutating func moveTo(_ row: Int, _ column: Int) {
    self.row = min(max(0, row), rows - 1)
    self.column = min(max(0, column), columns - 1)
    wrapsNext = false
  }

  // MARK: Sequences

  private mutating func escape(at place: Int) -> Int? {
    guard place + 1 < pending.count else { return nil }
    switch pending[place + 1] {
    case UInt8(ascii: "["): return control(at: place)
    case UInt8(ascii: "]"):
      guard let end = pending[place...].firstIndex(of: 0x07) else { return nil }
      return end - place + 1
    case UInt8(ascii: "("), UInt8(ascii: ")"): return place + 2 < pending.count ? 3 : nil
    case UInt8(ascii: "M"):
      if row == 0 {
        cells.removeLast()
        cells.insert(Array(repeating: " ", count: columns), at: 0)
      } else {
        moveTo(row - 1, column)
      }
    case UInt8(ascii: "7"): saved = (row, column)
    case UInt8(ascii: "8"): moveTo(saved.row, saved.column)
    case UInt8(ascii: "="), UInt8(ascii: ">"): break
    default: unknown.append("ESC \(pending[place + 1])")
    }
    return 2
  }

  private mutating func control(at place: Int) -> Int? {
    guard let end = pending[(place + 2)...].firstIndex(where: { (0x40...0x7E).contains($0) }) else { return nil }
    let body = String(decoding: pending[(place + 2)..<end], as: UTF8.self)
    let isPrivate = body.hasPrefix("?")
    let numbers = body.drop { "?>=".contains($0) }.split(separator: ";", omittingEmptySubsequences: false).map {
      Int($0) ?? 0
    }
    perform(Character(UnicodeScalar(pending[end])), numbers, isPrivate, body)
    return end - place + 1
  }

  private mutating func perform(_ final: Character, _ numbers: [Int], _ isPrivate: Bool, _ body: String) {
    let count = max(1, numbers.first ?? 1)
    switch final {
    case "A": moveTo(row - count, column)
    case "B": moveTo(row + count, column)
    case "C": moveTo(row, column + count)
    case "D": moveTo(row, column - count)
    case "G": moveTo(row, count - 1)
    case "d": moveTo(count - 1, column)
    case "H", "f": moveTo(count - 1, max(1, numbers.count > 1 ? numbers[1] : 1) - 1)
    case "J": eraseScreen(numbers.first ?? 0)
    case "K": eraseLine(numbers.first ?? 0)
    case "X": for place in column..<min(columns, column + count) { cells[row][place] = " " }
    case "P":
      cells[row].removeSubrange(column..<min(columns, column + count))
      cells[row] += Array(repeating: " ", count: columns - cells[row].count)
    case "@":
      cells[row].insert(contentsOf: Array(repeating: " ", count: count), at: column)
      cells[row].removeLast(cells[row].count - columns)
    case "h", "l": if isPrivate, numbers.contains(2004) { isPasting = final == "h" }
    case "m", "r", "t", "n", "c": break
    default: unknown.append("CSI \(body)\(final)")
    }
  }

  private mutating func eraseScreen(_ part: Int) {
    let blank = Array(repeating: Character(" "), count: columns)
    switch part {
    case 0:
      eraseLine(0)
      for line in (row + 1)..<max(rows, row + 1) { cells[line] = blank }
    case 1:
      eraseLine(1)
      for line in 0..<row { cells[line] = blank }
    default: for line in 0..<rows { cells[line] = blank }
    }
  }

  private mutating func eraseLine(_ part: Int) {
    switch part {
    case 0: for place in column..<columns { cells[row][place] = " " }
    case 1: for place in 0...column { cells[row][place] = " " }
    default: for place in 0..<columns { cells[row][place] = " " }
    }
  }
}
