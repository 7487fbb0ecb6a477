internal import GridCore

/// A list that several sources have together, each in order and page by page: merged as the pages come. Pure.
///
/// ```
/// wanting: a source has nothing to show ──add, end──▶ ready: take ──▶ wanting … over: all have ended, or the limit
/// ```
///
/// It holds one page of each source.
package struct RowMerge {
  private struct Source {
    var page = RowPage()
    /// The row that comes next.
    var place = 0
  }

  private var sources: [Source]
  /// Those with a row to show: the one whose row comes next is the last.
  private var line: [Int] = []
  /// Those that must show more, or end, before anything can be taken.
  package private(set) var wanting: Set<Int>
  /// Rows that may still be taken.
  private var rest: Int

  /// - Parameter limit: rows wanted.
  package init(sources count: Int, limit: Int = .max) {
    sources = Array(repeating: Source(), count: max(0, count))
    wanting = Set(sources.indices)
    rest = max(0, limit)
  }

  /// Whether nothing more is taken.
  package var isOver: Bool { rest == 0 || (line.isEmpty && wanting.isEmpty) }

  /// Takes the next page of a source that is wanted; one without rows leaves it wanted.
  package mutating func add(_ page: RowPage, from source: Int) {
    guard !page.rows.isEmpty, wanting.remove(source) != nil else { return }
    sources[source] = Source(page: page)
    enter(source)
  }

  /// A source has shown everything, or does not go on.
  package mutating func end(_ source: Int) {
    if wanting.remove(source) != nil { sources[source] = Source() }
  }

  /// Takes rows until a source is wanted, the page has so many bytes, or nothing is left.
  package mutating func take(into page: inout RowPageWriter, bytes: Int) {
    while wanting.isEmpty, rest > 0, page.size < bytes, let source = line.popLast() {
      let shown = sources[source].page
      page.append(shown.bytes(of: shown.rows[sources[source].place]))
      rest -= 1
      sources[source].place += 1
      if sources[source].place < shown.rows.count {
        enter(source)
      } else {
        sources[source] = Source()
        wanting.insert(source)
      }
    }
  }

  /// Puts a source to its place in the line.
  private mutating func enter(_ source: Int) {
    var (low, high) = (0, line.count)
    while low < high {
      let middle = (low + high) / 2
      if comesBefore(line[middle], source) { high = middle } else { low = middle + 1 }
    }
    line.insert(source, at: low)
  }

  /// Whether the next row of one source comes before that of another.
  private func comesBefore(_ first: Int, _ second: Int) -> Bool {
    let (left, right) = (sources[first], sources[second])
    return left.page.precedes(left.page.rows[left.place], right.page, right.page.rows[right.place])
  }
}
