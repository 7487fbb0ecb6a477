internal import GridClient
internal import GridCommands
internal import GridCore

/// What the prompt says of the cluster. Pure.
struct PromptHealth: Equatable, Sendable {
  /// The node the session talks to; nil while there is none.
  var node: String?
  var alive = 0
  var known = 0

  /// From the answer to `peers`: nodes that left on purpose are not missed.
  init(node: String?, peers: [PeerReport] = []) {
    self.node = node
    let expected = peers.filter { $0.status != .left }
    known = expected.count
    alive = expected.count { $0.status == .alive }
  }

  var isDegraded: Bool { alive < known }
}

/// The prompt as `:set prompt` describes it.
struct PromptStyle: Equatable, Sendable {
  /// `%c` context, `%n` node, `%a` alive, `%k` known nodes, `%s` the mark of the state, `%#` the number of the next
  /// result, `%%` a percent sign.
  static let standard = "%c %n %a/%k%s> "
  /// While no node is attached.
  static let disconnected = "%c -> "
  static let continuation = "%c %n …> "

  var format = Self.standard
  var context: String
  /// The context's name in reverse video: what is done here hurts.
  var isProtected = false
  /// The context's colour, as the number of an SGR sequence.
  var color: Int?
  var usesColor = true

  init(context: String, isProtected: Bool = false, color: Int? = nil, usesColor: Bool = true) {
    self.context = context
    self.isProtected = isProtected
    self.color = color
    self.usesColor = usesColor
  }

  /// As the context says; without one the namespace stands in its place.
  init(_ services: SessionServices) {
    self.init(
      context: services.context ?? services.namespace, isProtected: services.isProtected, color: services.contextColor,
      usesColor: services.allowsColor)
  }

  enum Form { case command, continuation }

  func text(_ health: PromptHealth, resultNumber: Int, form: Form = .command) -> String {
    let chosen = health.node == nil ? Self.disconnected : form == .continuation ? Self.continuation : format
    var text = ""
    var isEscape = false
    for character in chosen {
      guard isEscape else {
        if character == "%" { isEscape = true } else { text.append(character) }
        continue
      }
      isEscape = false
      switch character {
      case "c": text += contextText
      case "n": text += health.node ?? "-"
      case "a": text += String(health.alive)
      case "k": text += String(health.known)
      case "s": text += health.isDegraded ? "!" : ""
      case "#": text += String(resultNumber)
      default: text.append(character)
      }
    }
    return text
  }

  /// Escape sequences stand between the marks by which readline knows that they take no room.
  private var contextText: String {
    guard usesColor, isProtected || color != nil else { return context }
    let codes = [isProtected ? 7 : nil, color].compactMap { $0 }.map(String.init).joined(separator: ";")
    return "\u{1}\u{1B}[\(codes)m\u{2}\(context)\u{1}\u{1B}[0m\u{2}"
  }
}
