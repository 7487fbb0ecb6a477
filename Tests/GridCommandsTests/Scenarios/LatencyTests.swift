import Foundation
import GridCore
import Testing

/// What a node tells of how long messages take: the real binary, real nodes.
@Suite struct LatencyTests {
  private static func actor(_ name: String, _ sandbox: Sandbox) async throws -> JSONValue {
    try JSONValue(parsing: try await sandbox.output("gridctl inspect \(name) -o json"))
  }

  @Test func aMessageInHandIsNoneThatWasProcessed() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        gridctl node start --detach --name n1 --listen 127.0.0.1:0
        gridctl spawn exec stuck -- sh -c 'while read -r x; do sleep 600; done'
        seq 3 | gridctl tell stuck --lines -
        until [ "$(gridctl actors stuck -o jsonpath='{.items[0].inHand}')" = 1 ]; do sleep 0.02; done
        sleep 0.2
        """)
      let actor = try await Self.actor("stuck", sandbox)
      #expect(actor["inHand"] == 1 && actor["processed"] == 0 && actor["mailbox"] == 3, "\(actor)")
      #expect(
        actor["inHandSeconds"]?.doubleValue ?? 0 > 0.1 && actor["oldestSeconds"]?.doubleValue ?? 0 > 0.1, "\(actor)")
      #expect(actor["handlerP50Seconds"] == .null)
      let page = try await sandbox.output("gridctl inspect stuck")
      #expect(page.contains("in hand:   a message, for ") && page.contains("waiting:   2 messages, the oldest for "))
      #expect(page.contains("sh -c 'while read -r x; do sleep 600; done'") && page.contains("spawned"), "\(page)")
      let peer = try JSONValue(parsing: try await sandbox.output("gridctl peers -o jsonl"))
      #expect(peer["oldestActor"] == "stuck" && peer["oldestSeconds"]?.doubleValue ?? 0 > 0.1, "\(peer)")
      let wide = try await sandbox.output("gridctl actors -o wide")
      #expect(wide.contains("IN-HAND") && wide.contains("OLDEST") && wide.contains("P99"))
      let top = try await sandbox.output(
        "gridctl spawn echo idle -q >out; gridctl top --once --window 50ms --by time -n 1 -o name")
      #expect(top == "actor/stuck")
    }
  }

  @Test func handlersThatMaySuspendAreMeasured() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        gridctl node start --detach --name n1 --listen 127.0.0.1:0
        gridctl spawn exec slow -- sh -c 'while read -r x; do sleep 0.1; echo "$x"; done'
        seq 3 | gridctl ask slow --lines - && gridctl spawn counter hits && gridctl ask hits
        until [ "$(gridctl actors slow -o jsonpath='{.items[0].processed}')" = 3 ]; do sleep 0.02; done
        """)
      let slow = try await Self.actor("slow", sandbox)
      #expect(slow["handlerP50Seconds"]?.doubleValue ?? 0 > 0.08, "\(slow)")
      #expect(slow["handlerP99Seconds"]?.doubleValue ?? 0 >= slow["handlerP50Seconds"]?.doubleValue ?? 0)
      #expect(slow["inHand"] == 0 && slow["inHandSeconds"] == .null && slow["oldestSeconds"] == .null)
    }
  }

  @Test func topMeasuresOverItsWindow() async throws {
    try await withSandbox { sandbox in
      let rows = try await sandbox.output(
        """
        gridctl node start --detach --name n1 --listen 127.0.0.1:0
        gridctl spawn echo a-idle; gridctl spawn exec busy -- cat
        yes | gridctl ask busy --lines - >out 2>err & asking=$!
        until [ -s out ]; do sleep 0.02; done
        gridctl top --once --window 300ms --by rate -o jsonl
        kill $asking
        """)
      let first = try JSONValue(parsing: rows.split(separator: "\n").first { $0.hasPrefix("{") }.map(String.init) ?? "")
      #expect(first["name"] == "busy" && first["perSecond"]?.doubleValue ?? 0 > 0, "\(rows)")
    }
  }
}
