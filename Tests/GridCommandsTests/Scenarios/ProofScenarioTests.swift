import Foundation
import Testing

/// Who reaches a port or a socket is not let in for that.
@Suite struct ProofScenarioTests {
  @Test func anotherUserOnLoopbackRunsNothing() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.start("n1")
      let address = try await sandbox.address("n1")
      let attack = "spawn exec p -- sh -c 'while read x; do id; done'"
      let result = try await sandbox.run("\(user.prefix) gridctl -e \(address) \(attack)")
      #expect(result.status == 77, "\(result)")
      #expect(result.errors.contains("cannot reach \(address): it wants proof of the secret"), "\(result.errors)")
      #expect(result.errors.contains("--secret-file"), "\(result.errors)")
      // A secret of its own is none of this namespace, and the refusal says no more than that.
      try await sandbox.output("\(user.prefix) sh -c 'umask 077; head -c 32 /dev/urandom >home/mine'")
      let guessed = try await sandbox.run("\(user.prefix) gridctl --secret-file home/mine -e \(address) \(attack)")
      #expect(guessed.status == 77, "\(guessed)")
      #expect(guessed.errors.contains("the proof of the namespace's secret is wrong"), "\(guessed.errors)")
      // Nor does the secret of the node's user help somebody who cannot read it.
      let stolen = try await sandbox.run(
        "\(user.prefix) gridctl --secret-file $PWD/state/gridctl/default/secret -e \(address) \(attack)")
      #expect(stolen.status == 77, "\(stolen)")
      #expect(try await sandbox.output("gridctl actors -o name") == "")
    }
  }

  @Test func theSocketIsForItsUserAndRootWhateverItsModeIs() async throws {
    try await withSandbox { sandbox in
      guard let user = try await OtherUser.make(in: sandbox) else { return }
      defer { user.remove() }
      try await sandbox.start("n1")
      try await sandbox.output("chmod 755 . run run/gridctl run/gridctl/default; chmod 777 run/gridctl/default/n1.sock")
      let result = try await sandbox.run("\(user.prefix) gridctl -e \(sandbox.endpoint("n1")) peers")
      #expect(result.status == 77, "\(result)")
      #expect(result.errors.contains("the socket of a node is for the node's own user"), "\(result.errors)")
      #expect(try await sandbox.output("gridctl peers -o name") == "peer/n1")
      // Root may talk to the nodes of all users.
      try await sandbox.output("\(user.prefix) gridctl node start --name u1 --detach --listen 127.0.0.1:0")
      #expect(try await sandbox.output("gridctl peers -o name -e unix:\(user.substitute)/default/u1.sock") == "peer/u1")
      try await sandbox.output("\(user.prefix) gridctl node stop u1")
    }
  }

  @Test func theUsersOwnClientsFindTheSecret() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let address = try await sandbox.address("n1")
      #expect(try await sandbox.output("gridctl peers -o name -e \(address)") == "peer/n1\npeer/n2")
      #expect(try await sandbox.output("stat -c '%a %s' state/gridctl/default/secret") == "600 32")
      // Elsewhere a copy serves, by option, variable or context; it must be the user's alone.
      try await sandbox.output("cp -p state/gridctl/default/secret copy; mkdir away")
      let away = "XDG_STATE_HOME=$PWD/away gridctl peers -o name -e \(address)"
      let without = try await sandbox.run(away)
      #expect(without.status == 77 && without.errors.contains("away/gridctl/default/secret\n"), "\(without)")
      #expect(try await sandbox.output("\(away) --secret-file copy") == "peer/n1\npeer/n2")
      #expect(try await sandbox.output("GRIDCTL_SECRET_FILE=copy \(away)") == "peer/n1\npeer/n2")
      try await sandbox.output("gridctl context add far -q -e \(address) --secret-file $PWD/copy")
      #expect(try await sandbox.output("XDG_STATE_HOME=$PWD/away gridctl -C far peers -o name") == "peer/n1\npeer/n2")
      try await sandbox.output("chmod 644 copy")
      let open = try await sandbox.run("\(away) --secret-file copy")
      #expect(open.status == 77 && open.errors.contains("chmod 600 copy"), "\(open)")
      try await sandbox.output("chmod 600 copy; truncate -s 31 copy")
      #expect(try await sandbox.run("\(away) --secret-file copy").status == 78)
    }
  }

  @Test func aSwiftProgramThatIsNoNodeIsAClient() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let address = try await sandbox.address("n1")
      #expect(try await sandbox.output("GridClientExample $(at n1)") == "5 hits, says node n1")
      let secret = "state/gridctl/default/secret"
      #expect(try await sandbox.output("GridClientExample \(address) \(secret)") == "10 hits, says node n1")
      let without = try await sandbox.run("GridClientExample \(address)")
      #expect(without.status != 0 && without.errors.contains("wants proof of the secret"), "\(without)")
    }
  }

  @Test func nodesWithDifferentSecretsDoNotMeetAndSaySo() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("umask 077; head -c 32 /dev/urandom >other")
      try await sandbox.output("start --name n2 --secret-file $PWD/other")
      let log = "state/gridctl/default/n1.log"
      try await sandbox.output("eventually 'grep \"peer cannot be reached\" \(log)'")
      #expect(try await sandbox.output("grep -c 'proof of the namespace.s secret is wrong' \(log)") == "1")
      let peers = try await sandbox.run("gridctl peers -e $(at n1) -o jsonpath='{.items[*].status}'")
      #expect(peers.output == "alive suspect\n" && peers.status == 3, "\(peers)")
      let missing = try await sandbox.run("gridctl node start --secret-file $PWD/none")
      #expect(missing.status == 66 && missing.errors.contains("head -c 32 /dev/urandom"), "\(missing)")
    }
  }

  @Test func theSecretIsPutBackForTheNextNode() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("cp -p state/gridctl/default/secret before; rm state/gridctl/default/secret")
      try await sandbox.output("eventually 'cmp before state/gridctl/default/secret'")
    }
  }
}

/// Strangers that speak the protocol, written from its description alone.
@Suite(.enabled(if: Machine.hasPython, "python3 is not installed"))
struct StrangerScenarioTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Support").path

  private static func python(secret: String = "state/gridctl/default/secret") -> String {
    "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=\(folder) SECRET=\(secret) python3"
  }

  private static func link(secret: String = "state/gridctl/default/secret") -> String {
    "\(python(secret: secret)) \(folder)/link.py"
  }

  @Test func aClientWrittenFromTheDescriptionWorks() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      try await sandbox.output("gridctl spawn counter hits --on n2")
      let endpoints = [sandbox.endpoint("n1"), try await sandbox.address("n1")]
      for (number, endpoint) in endpoints.enumerated() {
        let client = "\(Self.link()) \(endpoint) default"
        #expect(try await sandbox.output("\(client) ask hits 5") == "\(5 * (number * 2 + 1))")
        #expect(try await sandbox.output("\(client) tell hits 5") == "accepted")
        let ping = try await sandbox.output("\(client) request ping '{}'")
        #expect(ping == #"{"node": "n1"}"#)
        let far = try await sandbox.output("\(client) request ping '{\"node\":\"n2\"}'")
        #expect(far == #"{"node": "n2"}"#)
        let synced = try await sandbox.output("\(client) channel events '{}' 1")
        #expect(synced.contains(#""kind": "synced""#), "\(synced)")
        // One answer is a channel of one item; a tail without credit would never begin.
        let whole = try await sandbox.output("\(client) channel ping '{}' 9")
        #expect(whole == #"{"node": "n1"}"#)
        // A list is a channel of pages, of which the first says how long it is.
        let list = try await sandbox.output("\(client) channel actors '{\"short\":true}' 9")
        #expect(
          list == #"""
            {"items": [], "total": 1}
            {"items": [{"kind": "counter", "name": "hits", "node": "n2"}]}
            """#)
        let summary = try await sandbox.output("\(client) request actors.summary '{\"kind\":\"counter\"}'")
        #expect(summary.contains(#"{"actors": 1, "failures": 0, "kind": "counter", "mailbox": 0, "node": "n2""#))
        let dry = try await sandbox.run("\(client) request events '{}'")
        #expect(dry.status == 1 && dry.output.hasPrefix("usage: "), "\(dry)")
        let failure = try await sandbox.run("\(client) ask nobody x")
        #expect(failure.status == 1 && failure.output.hasPrefix("no-such-actor: "), "\(failure)")
        let namespace = try await sandbox.run("\(Self.link()) \(endpoint) prod ask hits 1")
        #expect(namespace.output.hasPrefix("protocol-mismatch: namespace \"prod\""), "\(namespace)")
      }
    }
  }

  @Test func aStrangerLearnsNothingAndReplacesNobody() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1 --namespace hidden; start --name n2 --namespace hidden")
      let endpoint = "--namespace hidden -e $(at n1 hidden)"
      try await sandbox.output("gridctl spawn echo far --on n2 \(endpoint)")
      let address = try await sandbox.output("gridctl node info n1 \(endpoint) -o jsonpath=.address")
      try await sandbox.output("umask 077; head -c 32 /dev/urandom >guess")
      // Without the secret: nothing but that it is wrong, whatever was asked for.
      for namespace in ["hidden", "prod"] {
        let told = try await sandbox.run("\(Self.link(secret: "guess")) \(address) \(namespace) ask far x")
        #expect(told.output == "refused: the proof of the namespace's secret is wrong\n", "\(told)")
      }
      // With it: a node is the one that the membership knows, or none.
      let record = "gridctl peers \(endpoint) -o jsonpath='{.items[?(@.name==\"n2\")].incarnation}'"
      let incarnation = try #require(Int(try await sandbox.output(record)))
      for (name, claimed, code) in [
        ("n2", incarnation - 1, "refused"), ("n2", incarnation + 1, "retry-later"), ("n3", 1, "retry-later"),
        ("n1", 1, "name-taken"),
      ] {
        let claim = "link.connect('\(address)', 'hidden', role=link.NODE, name='\(name)', incarnation=\(claimed))"
        let result = try await sandbox.run(
          "\(Self.python(secret: "state/gridctl/hidden/secret")) -c \"import link; \(claim)\" 2>&1 | tail -1")
        #expect(result.output.hasPrefix("link.Failure: \(code): "), "\(name) \(claimed): \(result)")
      }
      let unix = "link.connect('unix:run/gridctl/hidden/n1.sock', 'hidden', role=link.NODE, name='n2')"
      let local = try await sandbox.run("\(Self.python()) -c \"import link; \(unix)\" 2>&1 | tail -1")
      #expect(local.output.hasPrefix("link.Failure: refused: "), "\(local)")
      let answers = try await sandbox.output("seq 25 | gridctl ask far --lines - \(endpoint) | sort -n | xargs")
      #expect(answers == (1...25).map(String.init).joined(separator: " "))
    }
  }

  @Test func anImpostorThatListensIsNotBelieved() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      // It listens where a client was told to look, and lets everybody in.
      let script = """
        import link, socket
        listener = socket.create_server(('127.0.0.1', 0)); print(listener.getsockname()[1], flush=True)
        while True:
            connection = link.Connection(listener.accept()[0])
            connection.sock.sendall(link.PREAMBLE + link.frame(link.CHALLENGE, link.field(1, bytes(32))))
            connection.bytes(8); connection.expect(link.HELLO); connection.expect(link.PROOF)
            connection.sock.sendall(link.frame(link.WELCOME, connection.greeting('default', role=1, name='n1'))
                                    + link.frame(link.PROOF, link.field(1, bytes(32))))
        """
      try await sandbox.output(
        "cat >impostor.py <<'END'\n\(script)\nEND\n\(Self.python()) impostor.py >port & eventually 'test -s port'")
      let result = try await sandbox.run("gridctl ask hits secret-question -e 127.0.0.1:$(cat port)")
      #expect(result.status == 77, "\(result)")
      #expect(result.errors.contains("what listens there does not know the secret"), "\(result.errors)")
    }
  }

  /// Numbers at the ends of their scale, from programs and from peers, end no node.
  @Test func theLargestNumbersEndNoNode() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let process = try await sandbox.processIdentifier(of: "n1")
      // The benchmark asks its sink for a count, before and after.
      let liar = "read x; echo -9223372036854775808; while read x; do echo 9223372036854775807; done"
      try await sandbox.output("gridctl spawn exec liar -- sh -c '\(liar)'")
      let bench = try await sandbox.run("gridctl bench tell liar --count 5 -o json", limit: .seconds(40))
      #expect(bench.output.contains("9223372036854775807"), "\(bench)")
      // A peer that says what it likes of its part of the work.
      let largest = #"{"removed":9223372036854775807,"actors":9223372036854775807,"mailbox":9223372036854775807}"#
      try await sandbox.output(
        "\(Self.python()) \(Self.folder)/peer.py state/gridctl/default/coordination.sqlite z9 "
          + "deadLetters.purge '\(largest)' load '\(largest)' >port 2>peer.err & eventually 'test -s port'")
      try await sandbox.output("eventually 'gridctl peers -o name | grep z9'")
      try await sandbox.output("gridctl tell nobody x || true")
      let purge = try await sandbox.eventually("gridctl dead-letters purge --yes -o json") { $0.status == 0 }
      #expect(purge.output.contains("9223372036854775807"), "\(purge)")
      let peers = try await sandbox.run("gridctl peers -o jsonpath='{.items[?(@.name==\"z9\")].actors}'")
      #expect(peers.output == "9223372036854775807\n", "\(peers)")
      #expect(try await sandbox.processIdentifier(of: "n1") == process)
    }
  }
}
