internal import GridCore
internal import GridLink

/// How much one connection of a client may ask of a node at a time. Those of other nodes carry what all their clients
/// ask, and are bounded by what these may.
enum ClientLimits {
  /// Requests that wait for their answers: what a script with `xargs -P` and a session with hundreds of jobs never
  /// have. Each costs a task, its arguments and its answer.
  static let requests = 1024
  /// Lists and tails that are open: each holds up to 4 MiB for a reader that is slow.
  static let channels = 256
  /// Bytes of the arguments of a request: an actor's `--arg` is the longest there is. Their depth is that of all JSON,
  /// 64.
  static let argumentBytes = 4 * 1024 * 1024
  /// A tail whose reader takes nothing for so long, while as much waits as may, is ended.
  static let longestStandstill = Duration.seconds(60)

  /// Why a request is not looked at; nil when it is.
  ///
  /// - Parameters:
  ///   - requests: how many wait on that connection, this one included.
  ///   - channels: how many are open on it, this one included.
  static func objection(to request: RequestFrame, requests: Int, channels: Int) -> GridError? {
    if requests > Self.requests {
      return GridError(
        .retryLater, "more than \(Self.requests) requests of one connection wait for their answers",
        hint: "wait for some of them, or use another connection")
    }
    if channels > Self.channels {
      return GridError(
        .retryLater, "one connection has more than \(Self.channels) lists and streams open",
        hint: "end some of them, or use another connection")
    }
    if request.arguments.count > argumentBytes {
      return GridError(
        .undecodable,
        "the arguments of a request have \(request.arguments.count) bytes: \(argumentBytes) are allowed",
        hint: "send a large text as a message, in parts, or as the name of a file")
    }
    return nil
  }
}

/// How long nothing has found room at a reader. Pure.
struct Standstill {
  /// Since when; nil while something finds room.
  private var since: MonotonicTime?
  private var isOver = false

  mutating func foundRoom() { since = nil }

  /// - Returns: true once, when it has lasted too long.
  mutating func foundNoRoom(at now: MonotonicTime) -> Bool {
    let began = since ?? now
    since = began
    guard !isOver, now - began >= ClientLimits.longestStandstill else { return false }
    isOver = true
    return true
  }
}
