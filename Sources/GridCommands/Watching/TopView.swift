internal import GridRequests

/// What somebody who looks at `gridctl top` has chosen: the order, the filter, the line they stand on, the page. Pure.
struct TopView: Equatable {
  enum Page: Equatable {
    case table, help
    case actor(String)
  }

  /// What a key asks of whoever runs the display.
  enum Action: Equatable {
    case redraw
    case inspect(String)
    case suspend
    case leave(ExitStatus)
  }

  private(set) var page = Page.table
  private(set) var order: ActorOrder
  /// Only actors in whose name, kind or node it is found; empty for all.
  private(set) var filter = ""
  /// Whether the filter is being typed.
  private(set) var isTyping = false
  /// The actor whose line is marked; nil until somebody moves.
  private(set) var marked: String?
  /// The first line that is shown.
  private(set) var first = 0

  init(order: ActorOrder) { self.order = order }

  /// - Parameters:
  ///   - names: the actors in the order they are shown in, all of them.
  ///   - height: how many are shown at a time.
  mutating func press(_ key: TerminalKey, names: [String], height: Int) -> Action {
    switch key {
    case .interrupt: return .leave(.interrupted)
    case .suspend: return .suspend
    case .redraw: return .redraw
    default: break
    }
    if isTyping { return type(key, names, height) }
    switch (page, key) {
    case (_, .character("q")), (_, .character("Q")), (_, .endOfInput): return .leave(.ok)
    case (.table, _): return pressOnTable(key, names, height)
    default:
      // Any other key leaves a page that is only looked at.
      page = .table
      return .redraw
    }
  }

  private mutating func pressOnTable(_ key: TerminalKey, _ names: [String], _ height: Int) -> Action {
    switch key {
    case .up, .character("k"): move(by: -1, names, height)
    case .down, .character("j"): move(by: 1, names, height)
    case .pageUp: move(by: -max(1, height), names, height)
    case .pageDown: move(by: max(1, height), names, height)
    case .home: move(by: -names.count, names, height)
    case .end: move(by: names.count, names, height)
    case .enter, .right:
      guard let name = marked.flatMap({ names.contains($0) ? $0 : nil }) ?? names.first else { break }
      marked = name
      page = .actor(name)
      return .inspect(name)
    case .character("/"): isTyping = true
    case .character("?"), .character("h"): page = .help
    case .escape:
      (filter, marked, first) = ("", nil, 0)
    case .character(let character):
      if let chosen = ActorOrder.allCases.first(where: { $0.key == character }) { order = chosen }
    default: break
    }
    return .redraw
  }

  private mutating func type(_ key: TerminalKey, _ names: [String], _ height: Int) -> Action {
    switch key {
    case .character(let character): filter.append(character)
    case .backspace: if filter.isEmpty { isTyping = false } else { filter.removeLast() }
    case .enter: isTyping = false
    case .escape: (filter, isTyping) = ("", false)
    case .up, .down:
      isTyping = false
      return pressOnTable(key, names, height)
    default: break
    }
    first = 0
    return .redraw
  }

  private mutating func move(by step: Int, _ names: [String], _ height: Int) {
    guard !names.isEmpty else { return marked = nil }
    let place = marked.flatMap { names.firstIndex(of: $0) }
    let next = min(names.count - 1, max(0, place.map { $0 + step } ?? (step > 0 ? 0 : names.count - 1)))
    marked = names[next]
    follow(names, height)
  }

  /// Scrolls so that the marked line is seen, and no room is left empty.
  mutating func follow(_ names: [String], _ height: Int) {
    let height = max(1, height)
    if let place = marked.flatMap({ names.firstIndex(of: $0) }) {
      if place < first { first = place }
      if place >= first + height { first = place - height + 1 }
    }
    first = max(0, min(first, names.count - height))
  }
}
