package import GridCore

/// One step of a message through an actor, as a trace tells it.
package struct TraceRecord: Sendable {
  package enum Step: String, Sendable {
    /// It has arrived at the mailbox.
    case arrived = "in"
    /// It has left: handled, answered, failed or refused.
    case left = "out"
  }

  /// Its place in the trace of this node, from 1; what was left out is not counted.
  package var sequence: Int64 = 0
  package var step: Step
  package var actor: String
  package var kind: String
  package var sender: String
  /// The message that arrived; the reply where there is one, else the message that left.
  package var message: Message
  /// What became of it: `queued` on arrival; `handled`, `replied`, `failed` or `refused`.
  package var outcome: String
  /// Why it failed or was refused; empty otherwise.
  package var detail = ""
  /// From being taken in hand to the outcome; nil when it never was.
  package var duration: Duration?
}

/// Which messages a trace is told of, and how many.
package struct TraceFilter: Sendable {
  /// The actor's name; nil for every name.
  package var actor: String?
  /// The kind of actor; nil for every kind.
  package var kind: String?
  package var steps: Set<TraceRecord.Step>

  package init(actor: String? = nil, kind: String? = nil, steps: Set<TraceRecord.Step> = [.arrived, .left]) {
    self.actor = actor
    self.kind = kind
    self.steps = steps
  }

  func covers(actor name: String, kind: String) -> Bool {
    (actor == nil || actor == name) && (self.kind == nil || self.kind == kind)
  }
}

/// How much a trace may tell: tracing a busy actor must not cost more than the actor does.
///
/// After `recon_trace` of Erlang's recon, where every trace needs a count or a count a time span.
package struct TraceBudget: Sendable {
  private var rest: Int
  private let perWindow: Int
  private let window: Duration
  private let end: MonotonicTime
  private var windowEnds: MonotonicTime?
  private var inWindow = 0

  /// - Parameters:
  ///   - maximum: records altogether.
  ///   - perWindow: records in each `window`.
  ///   - end: when the trace is over, whether the client is heard of or not.
  package init(maximum: Int, perWindow: Int = .max, window: Duration = .seconds(1), end: MonotonicTime) {
    rest = maximum
    self.end = end
    self.perWindow = perWindow
    self.window = window
  }

  /// Whether nothing more can be told from that time on.
  package func isSpent(at now: MonotonicTime) -> Bool { rest <= 0 || now >= end }

  /// Whether one more record may be told at that time.
  package mutating func admits(at now: MonotonicTime) -> Bool {
    guard !isSpent(at: now) else { return false }
    if windowEnds.map({ now >= $0 }) ?? true {
      windowEnds = now + window
      inWindow = 0
    }
    guard inWindow < perWindow else { return false }
    inWindow += 1
    rest -= 1
    return true
  }
}
