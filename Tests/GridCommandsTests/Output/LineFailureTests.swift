internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridCommands

/// What is told of lines that failed, and in which order answers are handed on.
@Suite struct LineFailureTests {
  private static let full = GridError(.mailboxFull, "the mailbox is full", hint: "later")
  private static let gone = GridError(.stopped, "it has stopped")

  @Test func `neighbours that failed alike are told as one range`() {
    // What became of each line, and what is told when the next one is known.
    let rounds: [(outcomes: [GridError?], told: [[String]], end: String?)] = [
      ([nil, nil], [[], []], nil),
      ([Self.full], [["line 1: the mailbox is full"]], nil),
      ([Self.full, Self.full], [["line 1: the mailbox is full"], []], "line 2: the mailbox is full"),
      (
        [nil, Self.full, Self.full, Self.full, nil],
        [[], ["line 2: the mailbox is full"], [], [], ["lines 3 to 4: the mailbox is full"]], nil
      ),
      (
        [Self.full, Self.full, Self.gone],
        [["line 1: the mailbox is full"], [], ["line 2: the mailbox is full", "line 3: it has stopped"]], nil
      ),
    ]
    for round in rounds {
      var run = FailureRun()
      let told = round.outcomes.enumerated().map { index, error in
        (error.map { run.failed(index + 1, $0) } ?? run.ended().map { [$0] } ?? []).map(\.message)
      }
      #expect(told == round.told)
      #expect(run.ended()?.message == round.end)
      #expect(run.ended() == nil)
    }
    var run = FailureRun()
    #expect(run.failed(1, Self.full).count == 1)
    #expect(run.failed(9, Self.full).map(\.message) == ["line 9: the mailbox is full"], "no neighbour")
    #expect(run.failed(10, Self.full).first?.hint == nil)
  }

  @Test func `all alike end with their own error, some with partial`() {
    var failures = LineFailures()
    #expect(failures.ending(of: 3, "got no reply") == nil)
    failures.add(2, Self.full)
    #expect(failures.ending(of: 1, "got no reply")?.code == .mailboxFull)
    #expect(failures.ending(of: 3, "got no reply")?.code == .partial)
    #expect(failures.ending(of: 3, "got no reply")?.message == "1 of 3 lines got no reply")
    failures.add(3, Self.gone)
    #expect(failures.ending(of: 2, "got no reply")?.code == .partial, "two reasons have no code in common")
    #expect(failures.records.map { $0["line"] } == [2, 3])
    #expect(failures.records[0]["error"]?["name"] == "mailbox-full")
    for line in 4...2000 { failures.add(line, Self.full) }
    #expect(failures.count == 1999 && failures.records.count == LineFailures.kept)
  }

  @Test func `answers are handed on in the order of their lines, each as soon as it can be`() throws {
    let printed = Mutex<[Int]>([])
    let order = AnswerOrder { answer in printed.withLock { $0.append(answer.line) } }
    func take(_ line: Int, fails: Bool = false) throws {
      try order.take(
        LineAnswer(line: line, result: fails ? .failure(Self.gone) : .success(Message("")), seconds: 0))
    }
    for (line, expected) in [(2, []), (1, [1, 2]), (4, [1, 2]), (5, [1, 2]), (3, [1, 2, 3, 4, 5])] {
      try take(line, fails: line == 4)
      #expect(printed.withLock { $0 } == expected)
    }
    #expect(order.result.failures.count == 1 && order.result.printed == 5)
  }
}
