import GridCore
import Testing

/// The members of every document, with their types: what programs that read `-o json` rely on. New members may be
/// added here; a member that goes or changes its type needs another `apiVersion`.
@Suite struct ContractTests {
  /// The command after `gridctl`, and the shape of what it prints.
  private static let documents: [(command: String, shape: String)] = [
    (
      "peers -o json",
      """
      {apiVersion: string, items: [{actors: number, address: string, deadLetters: number, incarnation: number, \
      kinds: [string], labels: {}, mailbox: number, name: string, oldestActor: null, oldestSeconds: null, \
      rttSeconds: null, self: bool, status: string, uptimeSeconds: number, version: string}], kind: string}
      """
    ),
    (
      "actors -o json",
      """
      {apiVersion: string, items: [{epoch: number, failures: number, handlerP50Seconds: number, \
      handlerP99Seconds: number, inHand: number, inHandSeconds: null, kind: string, mailbox: number, name: string, \
      node: string, oldestSeconds: null, processed: number, restarts: number, status: string, uptimeSeconds: number}], \
      kind: string}
      """
    ),
    (
      "actors --summary -o jsonl",
      "{actors: number, failures: number, kind: string, mailbox: number, node: string, restarts: number}"
    ),
    ("kinds -o json", "{apiVersion: string, items: [{name: string, nodes: [string]}], kind: string}"),
    (
      "dead-letters list -o json",
      """
      {apiVersion: string, items: [{at: string, atMilliseconds: number, body: string, bodyBytes: number, \
      bodyEncoding: string, contentType: string, count: number, detail: string, headers: [], id: string, node: string, \
      reason: string, replayedAs: null, sender: string, target: string, type: string}], kind: string}
      """
    ),
    (
      "events --since 1h --count 1 -o jsonl",
      """
      {at: string, atMilliseconds: number, detail: string, event: string, incarnation: number, kind: string, \
      name: string, namespace: string, node: string, seq: number}
      """
    ),
    (
      "ask hits -o json",
      """
      {apiVersion: string, contentType: string, kind: string, node: string, reply: number, replyEncoding: string, \
      rttSeconds: number}
      """
    ),
    (
      "bench ask mirror --count 10 -o json",
      """
      {apiVersion: string, bodyBytes: number, clients: number, delivered: number, errors: number, kind: string, \
      maxMicros: number, p50Micros: number, p90Micros: number, p999Micros: number, p99Micros: number, \
      perSecond: number, seconds: number, sent: number, target: string, work: string}
      """
    ),
    (
      "restart idle -o json",
      "{apiVersion: string, failures: [], items: [{name: string, node: string}], kind: string}"
    ),
    (
      "stop idle -o json",
      "{apiVersion: string, failures: [], items: [{name: string, node: string}], kind: string}"
    ),
    (
      """
      trace hits --in --max 1 --body -o jsonl & \
      until ! kill -0 $! 2>&-; do gridctl tell hits 1; sleep 0.05; done
      """,
      """
      {actor: string, actorKind: string, at: string, body: string, bodyEncoding: string, bodyIsCut: bool, \
      bytes: number, contentType: string, detail: string, kind: string, micros: null, node: string, outcome: string, \
      sender: string, seq: number, type: string}
      """
    ),
    (
      "top --once --window 50ms -n 1 -o jsonl",
      """
      {epoch: number, failures: number, handlerP50Seconds: number, handlerP99Seconds: number, inHand: number, \
      inHandSeconds: null, kind: string, mailbox: number, name: string, node: string, oldestSeconds: null, \
      perSecond: number, processed: number, rates: [number], restarts: number, status: string, uptimeSeconds: number}
      """
    ),
    (
      "audit list --verb spawn --limit 1 -o json",
      """
      {apiVersion: string, items: [{at: string, atMilliseconds: number, begunAs: number, caller: {from: string, \
      here: bool, name: string, role: string, source: string}, hash: string, node: string, order: number, \
      result: string, seq: number, subject: {kind: string, name: string}, verb: string}], kind: string}
      """
    ),
    (
      "audit verify -o json",
      """
      {apiVersion: string, items: [{file: null, files: number, line: null, node: string, ok: bool, problem: null, \
      records: number}], kind: string}
      """
    ),
    (
      "exit-codes -o json", "{apiVersion: string, items: [{code: number, meaning: string, name: string}], kind: string}"
    ),
    (
      "context show --effective -o json",
      "{apiVersion: string, items: [{name: string, source: string, value: string}], kind: string}"
    ),
    (
      "context ls -o json",
      """
      {apiVersion: string, items: [{color: null, current: bool, description: null, endpoints: [string], name: string, \
      namespace: null, output: null, protected: bool, secretFile: null, timeout: null, tls: {ca: null, cert: null, \
      key: null}, token: null}], kind: string}
      """
    ),
    (
      "check --format json",
      """
      {apiVersion: string, findings: [{advice: null, message: string, name: string, status: string}], kind: string, \
      measures: {actors_ended: {critical: null, value: number, warning: number}, actors_failing: {critical: null, \
      value: number, warning: number}, dead: {critical: null, value: number, warning: number}, dead_letters: \
      {critical: null, value: number, warning: number}, dead_letters_dropped: {critical: null, value: number, \
      warning: number}, lost_memberships: {critical: null, value: number, warning: number}, \
      refused_logins: {critical: null, value: number, warning: number}, singletons_unstarted: \
      {critical: number, value: number, warning: null}}, nodes: [{actors: number, advice: null, deadLetters: \
      {dropped: number, failure: null, kept: number, recent: number}, ended: number, failing: number, \
      failingActors: [], lostMemberships: number, mailbox: number, member: bool, node: string, oldestActor: null, \
      oldestSeconds: null, problem: null, refusedLogIns: number, \
      stateBytesFree: number, stateBytesTotal: number, stateDirectory: string, \
      store: {engine: string, place: string, version: string}, troubles: [], uptimeSeconds: number, weakened: []}], \
      peers: [{actors: number, address: string, deadLetters: number, incarnation: number, kinds: [string], \
      labels: {}, mailbox: number, name: string, oldestActor: null, oldestSeconds: null, rttSeconds: null, self: bool, \
      status: string, uptimeSeconds: number, version: string}], status: string}
      """
    ),
    ("wait 'peers>=1' -o json", "{apiVersion: string, conditions: [string], kind: string}"),
  ]

  /// Commands that fail, and the member `name` and `code` of their error.
  private static let failures: [(command: String, name: String, code: Int64)] = [
    ("inspect nope", "no-such-actor", 67), ("spawn nope x", "no-such-kind", 67),
    ("dead-letters show nope", "not-found", 67),
    ("node info n9", "no-such-node", 68), ("spawn counter hits", "name-taken", 73), ("ask 'a b' 1", "usage", 64),
    ("ask hits nojson", "undecodable", 65), ("tell hits @nowhere", "no-input", 66),
    ("-e 127.0.0.1:1 peers", "unavailable", 69),
    ("wait actor/nope -t 50ms", "deadline", 124), ("-C nope peers", "not-found", 67),
  ]

  @Test func `documents and errors keep their shape`() async throws {
    try await withSandbox { sandbox in
      let ready = try await sandbox.run(
        """
        gridctl node start --detach --name n1 --listen 127.0.0.1:0 && gridctl spawn counter hits \
          && gridctl spawn exec able -- cat \
          && gridctl ask able 1 && gridctl spawn echo mirror && gridctl spawn echo idle && gridctl tell hits 3 \
          && gridctl context add local -e 127.0.0.1:1 -q
        gridctl tell nobody hello 2>&1 | head -1
        """)
      #expect(ready.output.contains("no actor nobody"), "\(ready.errors)")
      for (command, shape) in Self.documents {
        let result = try await sandbox.run("gridctl \(command)")
        let first =
          command.contains("jsonl") ? result.output.split(separator: "\n").first.map(String.init) : result.output
        let document = try? JSONValue(parsing: first ?? "")
        #expect(document.map(Self.shape) == shape, "\(command): \(result.errors)")
        #expect(command.contains("jsonl") || document?["apiVersion"] == "gridctl/v1", "\(command)")
      }
      for (command, name, code) in Self.failures {
        let result = try await sandbox.run("gridctl \(command) -o json")
        let error = try? JSONValue(parsing: result.errors)["error"]
        #expect(error?["name"]?.stringValue == name, "\(command): \(result.errors)")
        #expect(error?["code"]?.integerValue == code && Int64(result.status) == code, "\(command): \(result.status)")
        #expect(error?.objectValue?.keys.sorted() == ["cause", "code", "hint", "message", "name", "node", "target"])
        #expect(result.errors.split(separator: "\n").count == 1 && result.output == "", "\(command)")
      }
    }
  }

  /// A value with its types instead of its contents; of a list the first element.
  private static func shape(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "bool"
    case .integer, .number, .decimal: "number"
    case .string: "string"
    case .array(let elements): "[\(elements.first.map(shape) ?? "")]"
    case .object(let members):
      "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \(shape($0.value))" }.joined(separator: ", "))}"
    }
  }
}
