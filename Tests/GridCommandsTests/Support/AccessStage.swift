import Foundation
import GridCore
import TestSupport
import Testing

/// Somebody who tries every command.
struct AccessCaller: Sendable {
  let name: String
  /// What is typed instead of `gridctl`.
  var way: String
  /// What stands for them in the audit log; nil for those who are let in nowhere.
  var audited: String?
  /// Speaks without TLS: nobody there understands the question.
  var speaksPlainly = false
  /// Whose things they try to take: their own, or the owner's.
  var prepared = "owner"

  /// What came of an attempt, in the words of the table; something else where neither a yes nor a refusal came.
  func verdict(_ attempt: AccessAttempt, _ result: ShellResult) -> String {
    if result.status == 0 { return "yes" }
    let whole = "it ended with \(result.status): \(result.output.suffix(300))\(result.errors.suffix(600))"
    guard let (name, hint) = Self.refusal(result) else { return whole }
    let isRefused = name == "refused" && result.status == attempt.refusal
    let isUnheard =
      speaksPlainly && name == "protocol-mismatch" && (result.status == 76 || result.status == attempt.refusal)
    guard isRefused || isUnheard else { return whole }
    // Whoever is refused is told what to do about it.
    guard !hint.isEmpty else { return "no, and no hint: \(result.errors)" }
    if hint.contains("made with --bodies") { return "granted" }
    return hint.firstMatch(of: /--allow-[a-z]+/).map { String($0.0) } ?? "no"
  }

  /// The name and hint of the last error, or of the row that says what is wrong.
  private static func refusal(_ result: ShellResult) -> (name: String, hint: String)? {
    let documents = (result.errors + result.output).split(separator: "\n").compactMap {
      try? JSONValue(parsing: String($0))
    }
    let error = documents.last { $0["error"] != nil }?["error"]
    guard let name = (error?["name"] ?? documents.last?["code"])?.stringValue else { return nil }
    return (name, (error ?? documents.last)?["hint"]?.stringValue ?? "")
  }
}

/// A node with TLS, things to take from it, and the people who try.
struct AccessStage: Sendable {
  let sandbox: Sandbox
  let address: String
  /// Dead letters and tokens, by whom they were prepared for.
  private let letters: [String: String]
  private let identifiers: [String: String]

  /// - Parameter names: whom to prepare things for, beside the owner.
  init(in sandbox: Sandbox, preparing names: [String] = []) async throws {
    self.sandbox = sandbox
    try await sandbox.output(
      """
      gridctl tls init-ca ca -q && cp ca/ca.pem ca.pem && chmod 644 ca.pem
      for name in n1 n2; do gridctl tls issue --ca ca --name $name -q; done
      gridctl tls issue --ca ca --name olga --role operator -q
      start --name n1 --tls-ca ca.pem --tls-cert ca/n1.pem --tls-key ca/n1.key
      gridctl spawn counter hits; gridctl spawn echo mirror; gridctl tell hits 1
      mkdir -m 711 homes; gridctl spawn counter busy
      (while sleep 0.1; do echo 1; done | gridctl tell busy --lines) >/dev/null 2>&1 &
      """)
    address = try await sandbox.address("n1")
    var letters: [String: String] = [:]
    var identifiers: [String: String] = [:]
    for name in ["owner"] + names {
      try await sandbox.output(
        """
        gridctl spawn echo stopped-\(name); gridctl spawn echo restarted-\(name)
        gridctl tell sent-\(name) secret; gridctl tell purged-\(name) secret
        gridctl leader run resigned-\(name) -- sleep 600 >/dev/null 2>&1 &
        eventually 'gridctl leader show resigned-\(name)'
        """)
      letters[name] = try await sandbox.output(
        "gridctl dead-letters list --to sent-\(name) -o jsonpath='{.items[0].id}'")
      identifiers[name] = try await sandbox.output("gridctl token create --out spare-\(name) -o jsonpath={.id}")
    }
    self.letters = letters
    self.identifiers = identifiers
  }

  /// Makes a home with a token that is shown where a machine joins.
  ///
  /// - Parameter token: options of `token create`; nil for a token that nobody has made.
  func makeHome(_ name: String, token: String?) async throws {
    try await sandbox.output("umask 077; mkdir homes/\(name)")
    let file = "homes/\(name)/token"
    if let token {
      try await sandbox.output("gridctl token create \(token) --comment own --out \(file) -q")
    } else {
      try await sandbox.output("umask 077; sed 's/[0-9]$/a/; t; s/.$/0/' spare-owner >\(file)")
    }
  }

  /// A secret of the caller's own making, where their gridctl looks for it.
  func makeSecret(_ name: String) async throws {
    let place = "homes/\(name)/.local/state/gridctl/default"
    try await sandbox.output("umask 077; mkdir -p \(place); head -c 32 /dev/urandom >\(place)/secret")
  }

  /// gridctl of somebody who has nothing of the owner's.
  func way(_ name: String, _ options: String) -> String {
    "env -u XDG_STATE_HOME XDG_RUNTIME_DIR=$PWD/homes/\(name) HOME=$PWD/homes/\(name) gridctl -e \(address) \(options)"
  }

  func line(_ attempt: AccessAttempt, _ caller: AccessCaller) -> String {
    let words = [
      "gridctl ": caller.way + " ", "{me}": caller.name, "{mine}": caller.prepared, "{address}": address,
      "{letter}": letters[caller.prepared] ?? "", "{identifier}": identifiers[caller.prepared] ?? "",
    ]
    let line = words.reduce(attempt.line) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    return "export GRIDCTL_OUTPUT=jsonl; " + line
  }

  /// Has everybody try everything, two at a time; what came of it, by name of the command and of the caller.
  func tries(
    _ attempts: [AccessAttempt], by callers: [AccessCaller]
  ) async throws -> [String: [String: String]] {
    let pairs = attempts.flatMap { attempt in callers.map { (attempt, $0) } }
    return try await withThrowingTaskGroup(of: [(String, String, String)].self) { group in
      for worker in 0..<2 {
        group.addTask {
          var verdicts: [(String, String, String)] = []
          for (index, (attempt, caller)) in pairs.enumerated() where index % 2 == worker {
            let result = try await sandbox.run(line(attempt, caller))
            verdicts.append((attempt.name, caller.name, caller.verdict(attempt, result)))
          }
          return verdicts
        }
      }
      return try await group.reduce(into: [:]) { table, verdicts in
        for (attempt, caller, verdict) in verdicts { table[attempt, default: [:]][caller] = verdict }
      }
    }
  }

  /// All that somebody could have changed, as its owner sees it.
  func state() async throws -> String {
    try await sandbox.output(
      """
      gridctl node info -o jsonpath='{.pid} {.incarnation} {.actors}'
      gridctl actors -o jsonpath='{range .items[*]}{.name} {.epoch} {.processed} {.restarts} {.status}{"\\n"}{end}' \
      | grep -v '^busy '
      gridctl actors --anonymous -o name
      gridctl dead-letters list -o jsonpath='{range .items[*]}{.id} {.replayedAs}{"\\n"}{end}'
      gridctl leader show -o jsonpath='{range .items[*]}{.name} {.node} {.token}{"\\n"}{end}'
      gridctl token list -o jsonpath='{range .items[*]}{.id} {.state} {.comment}{"\\n"}{end}'
      gridctl audit list -o jsonl | grep -v '"result":"denied"'
      find . -name '*-by-*' -o -name joined | sort
      """)
  }

  /// Who was refused what, as `NAME REQUEST`.
  func denials() async throws -> Set<String> {
    let template = "'{range .items[*]}{.caller.name} {.verb}{\"\\n\"}{end}'"
    return Set(
      try await sandbox.output("gridctl audit list --denied --limit 1000 -o jsonpath=\(template)")
        .split(separator: "\n").map(String.init))
  }
}
