/// One command as everybody tries it.
///
/// In its line `{me}` is who tries, `{mine}` what the tests have prepared for them, `{address}` where the node listens,
/// `{letter}` a dead letter and `{identifier}` a token of theirs, and each `gridctl` gets their credentials.
struct AccessAttempt: Sendable {
  /// As SECURITY.md names it: the command, and what of it makes a difference.
  let name: String
  let line: String
  /// What the audit log calls it when somebody is refused it who was let in; nil where nobody is.
  let request: String?
  /// The exit code of a refusal, where the refusal is what was asked for.
  var refusal: Int32 = 77

  init(_ name: String, _ line: String, refusedAs request: String? = nil) {
    self.name = name
    self.line = line
    self.request = request
  }

  private static let context: AccessAttempt = {
    var attempt = AccessAttempt(
      "context check", "gridctl context add mine --force -q && gridctl context check mine")
    attempt.refusal = 2
    return attempt
  }()

  /// The last one ends the node.
  static let all = [
    AccessAttempt("actors", "gridctl actors"), AccessAttempt("peers", "gridctl peers"),
    AccessAttempt("kinds", "gridctl kinds"), AccessAttempt("inspect", "gridctl inspect hits"),
    AccessAttempt("top", "gridctl top --once --window 10ms"),
    AccessAttempt("events", "gridctl events --since 1h --count 1"),
    AccessAttempt("check", "gridctl check"), AccessAttempt("wait", "gridctl wait actor/hits -t 20s"),
    AccessAttempt("node info", "gridctl node info"), AccessAttempt("node ping", "gridctl node ping"),
    AccessAttempt("leader show", "gridctl leader show"),
    AccessAttempt("leader watch", "gridctl leader watch --idle 10ms"),
    AccessAttempt("dead-letters tail", "gridctl dead-letters tail --since 1h --count 1"),
    AccessAttempt("dead-letters list", "gridctl dead-letters list"),
    AccessAttempt("trace", "gridctl trace busy --max 1"),
    AccessAttempt("tls verify", "gridctl tls verify --tls-ca ca.pem"), context,
    AccessAttempt("repl -c peers", "gridctl repl -c peers"),

    AccessAttempt("trace --body", "gridctl trace busy --body --max 1", refusedAs: "trace"),
    AccessAttempt("dead-letters show", "gridctl dead-letters show {letter}", refusedAs: "deadLetters.body"),

    AccessAttempt("tell", "gridctl tell hits 1", refusedAs: "message"),
    AccessAttempt("ask", "gridctl ask hits 1", refusedAs: "message"),
    AccessAttempt("broadcast", "gridctl broadcast --to 'hit*' 1", refusedAs: "message"),
    AccessAttempt("spawn", "gridctl spawn echo made-by-{me}", refusedAs: "spawn"),
    AccessAttempt("repl -c spawn", "gridctl repl -c 'spawn echo also-by-{me}'", refusedAs: "spawn"),
    AccessAttempt("stop", "gridctl stop stopped-{mine}", refusedAs: "stop"),
    AccessAttempt("restart", "gridctl restart restarted-{mine}", refusedAs: "restart"),
    AccessAttempt("bench", "gridctl bench ask mirror --count 10", refusedAs: "bench"),
    AccessAttempt(
      "dead-letters replay", "gridctl dead-letters replay {letter} --replay-to mirror",
      refusedAs: "deadLetters.replay"),
    AccessAttempt(
      "dead-letters purge", "gridctl dead-letters purge --to purged-{mine} --yes", refusedAs: "deadLetters.purge"),
    AccessAttempt("leader resign", "gridctl leader resign resigned-{mine}", refusedAs: "leader.resign"),
    AccessAttempt("leader run", "gridctl leader run led-by-{me} -- true", refusedAs: "leader.campaign"),
    AccessAttempt("audit list", "gridctl audit list", refusedAs: "audit.list"),
    AccessAttempt("audit tail", "gridctl audit tail --since 1h --count 1", refusedAs: "audit.tail"),
    AccessAttempt("audit verify", "gridctl audit verify", refusedAs: "audit.verify"),
    AccessAttempt(
      "token create", "gridctl token create --out given-by-{me} --comment by-{me}", refusedAs: "token.create"),
    AccessAttempt("token list", "gridctl token list", refusedAs: "token.list"),
    AccessAttempt("token revoke", "gridctl token revoke {identifier}", refusedAs: "token.revoke"),

    AccessAttempt(
      "spawn exec", "gridctl spawn exec run-by-{me} -- sh -c 'touch ran-by-{me}; exec cat'", refusedAs: "spawn"),
    AccessAttempt(
      "token create --role node", "gridctl token create --role node --out joins-by-{me} --comment by-{me}",
      refusedAs: "token.create"),
    AccessAttempt(
      "node join",
      "gridctl node join {address} --tls-ca ca.pem --token-file homes/{me}/token --secret-file homes/{me}/joined"),
    AccessAttempt("tls show", "gridctl tls show {address}"),
    AccessAttempt("node stop", "gridctl node stop n1 --yes", refusedAs: "node.stop"),
  ]
}
