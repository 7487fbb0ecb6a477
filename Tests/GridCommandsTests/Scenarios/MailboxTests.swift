import Foundation
import Testing

/// What becomes of every message when a mailbox is full, seen from outside.
@Suite struct MailboxTests {
  struct Policy: Sendable, CustomStringConvertible {
    var name: String
    var accepted: Int
    var handled: [Int]
    var description: String { name }
  }

  static let policies = [
    Policy(name: "reject", accepted: 10, handled: Array(1...10)),
    Policy(name: "drop-newest", accepted: 20, handled: Array(1...10)),
    Policy(name: "drop-oldest", accepted: 20, handled: [1] + Array(12...20)),
  ]

  /// Handles nothing before the file `go` is there; then notes what it handles.
  private static let gated = """
    while read -r line; do touch busy; until [ -e go ]; do sleep 0.02; done; echo "$line" >>handled; echo; done
    """

  @Test(arguments: policies)
  func theOverflowPolicyAccountsForEveryMessage(_ policy: Policy) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        "gridctl spawn exec gate --on n2 --mailbox 10 --overflow \(policy.name) -- bash -c '\(Self.gated)'")
      let told = try await sandbox.run(
        """
        gridctl tell gate 1; echo $?; eventually 'test -e busy'
        for number in $(seq 2 20); do gridctl tell gate $number; echo $?; done
        """)
      let statuses = told.output.split(separator: "\n")
      #expect(statuses.count { $0 == "0" } == policy.accepted)
      #expect(statuses.count { $0 == "75" } == 20 - policy.accepted)
      let letters = "gridctl dead-letters list --to gate --reason mailbox-full -o jsonl | grep -o '\"body\":\"[0-9]*\"'"
      let expected = (1...20).filter { !policy.handled.contains($0) }.map { "\"body\":\"\($0)\"\n" }.joined()
      #expect(try await sandbox.eventually(letters) { $0.output == expected }.output == expected)
      let handled = policy.handled.map { "\($0)\n" }.joined()
      #expect(try await sandbox.eventually("touch go; cat handled") { $0.output == handled }.output == handled)
    }
  }

  @Test func mailThatWasAcceptedIsHandledHoweverLongItWaits() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn exec gate -- bash -c '\(Self.gated)'")
      // The time-outs of both tells are over long before the second is handled.
      try await sandbox.output("gridctl tell gate 1 -t 2s; gridctl tell gate 2 -t 2s; sleep 2.1; touch go")
      try await sandbox.output("eventually 'cmp handled <(seq 1 2)'")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }

  @Test func linesWaitForRoomInsteadOfBeingRefused() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output(
        "gridctl spawn exec narrow --one-way --mailbox 4 --on n2 -- bash -c 'while read -r l; do echo $l; done >got'")
      try await sandbox.output("seq 1 3000 | gridctl tell narrow --lines - -e $(at n1)")
      try await sandbox.output("eventually 'cmp got <(seq 1 3000)'")
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }

  /// The wc-like program of a few lines: counts, checks the order, and says how far it got.
  private static let counter = """
    bash -c 'while read -r line; do
      if [ "$line" != $((++count)) ]; then echo "line $count is $line" >wrong; exit; fi
      if [ $count = 200000 ]; then echo $count >count; fi
    done'
    """

  @Test func aLongTextStreamArrivesOnceInOrderWithFlatMemory() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn exec count --one-way --on n2 -- \(Self.counter)")
      let sender = try await sandbox.output(
        """
        seq 1 200000 | (gridctl tell count --lines - -e $(at n1) & echo $! >sender
          wait $!; echo $? >status) & whole=$!
        most=0; while kill -0 $whole 2>/dev/null; do
          now=$(awk '/VmHWM/ { print $2 }' /proc/$(cat sender)/status 2>/dev/null); most=${now:-$most}; sleep 0.05
        done; cat status; echo $most
        """, limit: .seconds(120))
      let fields = sender.split(separator: "\n").compactMap { Int($0) }
      try #require(fields.count == 2)
      #expect(fields[0] == 0)
      #expect(fields[1] < 100 * 1024, "the sender had \(fields[1]) KiB")
      let count = try await sandbox.eventually("cat wrong count 2>/dev/null") { !$0.output.isEmpty }
      #expect(count.output == "200000\n")
      for node in ["n1", "n2"] {
        let memory = try sandbox.memory(of: try await sandbox.processIdentifier(of: node))
        #expect(memory.most < 100 << 20, "\(node) had \(memory.most) bytes")
      }
      #expect(try await sandbox.output("gridctl dead-letters list -o name") == "")
    }
  }

  @Test func aReadLoopLosesNoLineToGridctl() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn counter hits")
      try await sandbox.output(
        "seq 1 20 | while read -r l; do gridctl tell hits \"$l\"; gridctl ask hits >/dev/null; done")
      #expect(try await sandbox.output("gridctl ask hits") == "210")
    }
  }
}
