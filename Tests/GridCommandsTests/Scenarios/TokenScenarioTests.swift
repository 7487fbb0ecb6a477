import Foundation
import Testing

/// What somebody does who has a token and not the secret.
@Suite struct TokenScenarioTests {
  /// gridctl as another user's, who finds neither a socket nor the secret.
  private static func guest(_ address: String) -> String {
    "XDG_STATE_HOME=$PWD/away XDG_RUNTIME_DIR=$PWD/away gridctl -e \(address)"
  }

  private func expect(
    _ line: String, in sandbox: Sandbox, ends status: Int32, saying text: String = "",
    at location: SourceLocation = #_sourceLocation
  ) async throws {
    let result = try await sandbox.run(line)
    #expect(result.status == status, "\(line): \(result)", sourceLocation: location)
    #expect(text.isEmpty || result.errors.contains(text), "\(line): \(result.errors)", sourceLocation: location)
  }

  @Test func aViewerLooksAndTouchesNothing() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let guest = Self.guest(try await sandbox.address("n2"))
      try await sandbox.output("gridctl spawn echo one && (gridctl tell nobody 'a secret body' || true)")
      let letter = try await sandbox.output("gridctl dead-letters list -o jsonpath='{.items[0].id}'")
      try await expect("\(guest) peers", in: sandbox, ends: 77, saying: "there is no")
      try await sandbox.output(
        "gridctl token create --role viewer --out viewer && gridctl token create --bodies --out reader")
      #expect(try await sandbox.output("stat -c %a viewer") == "600")
      let viewer = "\(guest) --token-file viewer"
      #expect(try await sandbox.output("\(viewer) peers -o name") == "peer/n1\npeer/n2")
      #expect(try await sandbox.output("\(viewer) actors -o name") == "actor/one")
      let letters = try await sandbox.output("\(viewer) dead-letters list")
      #expect(letters.contains(letter) && !letters.contains("secret body"), "\(letters)")
      let document = try await sandbox.output("\(viewer) dead-letters list -o json")
      #expect(document.contains(letter) && !document.contains("secret body"), "\(document)")
      let touches = [
        "spawn echo two", "tell one x", "ask one x", "stop one", "restart one", "dead-letters purge --yes",
        "dead-letters replay \(letter)", "dead-letters show \(letter)", "leader resign leader", "node stop n1 --yes",
        "token list", "token create", "token revoke abcdefabcdef", "spawn exec p -- id",
      ]
      for touch in touches { try await expect("\(viewer) \(touch)", in: sandbox, ends: 77) }
      let body = try await sandbox.output("\(guest) --token-file reader dead-letters show \(letter) -o jsonpath=.body")
      #expect(body == "a secret body")
      #expect(try await sandbox.output("gridctl actors -o name") == "actor/one")
    }
  }

  @Test func anOperatorRunsNoProgramsAndEndsNoNode() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let address = try await sandbox.address("n1")
      try await sandbox.output("umask 022; gridctl token create --role operator -q >operator; chmod 600 operator")
      let operate = "\(Self.guest(address)) --token-file operator"
      try await sandbox.output("\(operate) spawn counter hits && \(operate) tell hits 2")
      #expect(try await sandbox.output("\(operate) ask hits 3") == "5")
      // Neither at the node that it is connected to, nor through it at another one.
      for node in ["n1", "n2"] {
        try await expect("\(operate) spawn exec p --on \(node) -- id", in: sandbox, ends: 77, saying: "--allow-exec")
        try await expect("\(operate) node stop \(node) --yes", in: sandbox, ends: 77, saying: "--allow-stop")
      }
      // It gives what it has, and no more: the secret is not its own.
      try await sandbox.output("\(operate) token create --role operator --out second")
      try await expect(
        "\(operate) token create --role node", in: sandbox, ends: 77, saying: "gives the secret of the namespace away")
    }
  }

  @Test func aTokenThatIsNotGoodEndsWith77AndTheReason() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let guest = Self.guest(try await sandbox.address("n2"))
      try await sandbox.output(
        """
        gridctl token create -q >good; chmod 600 good
        cp -p good short; head -c 60 good >short; cp -p good other; sed -i 's/[0-9]$/a/; t; s/.$/0/' other
        cp -p good none; echo hunter2 >none
        gridctl token create --single-use --out once; gridctl token create --expires 1ms --out late
        """)
      #expect(try await sandbox.output("\(guest) --token-file good peers -o name") == "peer/n1\npeer/n2")
      func peers(_ file: String) -> String { "\(guest) --token-file \(file) peers" }
      try await expect(peers("short"), in: sandbox, ends: 77, saying: "is not whole")
      try await expect(peers("other"), in: sandbox, ends: 77, saying: "no such token is known here")
      try await expect(peers("none"), in: sandbox, ends: 77, saying: "what was given is no token")
      try await expect(peers("late"), in: sandbox, ends: 77, saying: "has expired at")
      try await expect(peers("missing"), in: sandbox, ends: 66, saying: "gridctl token create --out FILE")
      #expect(try await sandbox.output("\(peers("once")) -o name") == "peer/n1\npeer/n2")
      try await expect(peers("once"), in: sandbox, ends: 77, saying: "was good for one connection")
      try await sandbox.output("chmod 644 good")
      try await expect(peers("good"), in: sandbox, ends: 77, saying: "chmod 600 good")
      try await sandbox.output("chmod 600 good")
      // Whoever follows the events is put out, and not let in again.
      let lines = """
        \(guest) --token-file good events --since 1h -o jsonl >events 2>errors & client=$!
        eventually 'test -s events'
        gridctl token revoke $(cut -d- -f2 good)
        wait $client; echo $?
        """
      let revoked = try await sandbox.output(lines)
      #expect(revoked.hasSuffix("is revoked\n77"), "\(revoked)")
      #expect(try await sandbox.output("grep -c 'was revoked at' errors") != "0")
      try await expect(peers("good"), in: sandbox, ends: 77, saying: "was revoked at")
    }
  }

  @Test func tokensAreListedAndRevokedByTheirIds() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let identifier = try await sandbox.output("gridctl token create --comment 'for Ada' --out one -o name")
      #expect(identifier == "token/" + (try await sandbox.output("cut -d- -f2 one")))
      try await sandbox.output("gridctl token create --role operator -q >two")
      try await expect("gridctl token create --out one", in: sandbox, ends: 73, saying: "there is a file one already")
      try await expect("gridctl token create -o json", in: sandbox, ends: 64, saying: "--out FILE")
      let list = try await sandbox.output("gridctl token list -o tsv --no-headers | cut -f2,3,7")
      #expect(list == "viewer\tlive\tfor Ada\noperator\tlive\t-")
      #expect(try await sandbox.output("gridctl token list -o name | head -1") == identifier)
      let completed = try await sandbox.output("gridctl __complete zsh gridctl token revoke ''")
      #expect(completed.contains(identifier.dropFirst(6)), "\(completed)")
      try await expect("gridctl token revoke", in: sandbox, ends: 64)
      try await expect("gridctl token revoke abcdefabcdef", in: sandbox, ends: 67, saying: "gridctl token list")
      let partial = try await sandbox.run("gridctl token revoke \(identifier) abcdefabcdef -o name")
      #expect(partial.status == 3 && partial.output == "\(identifier)\n", "\(partial)")
      try await sandbox.output("gridctl token revoke --all --yes")
      #expect(try await sandbox.output("gridctl token list -o jsonpath='{.items[*].state}'") == "revoked revoked")
    }
  }

  @Test func aContextSaysWhereItsTokenIs() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let address = try await sandbox.address("n1")
      try await sandbox.output("gridctl token create --out token")
      let away = "XDG_STATE_HOME=$PWD/away XDG_RUNTIME_DIR=$PWD/away XDG_CONFIG_HOME=$PWD/config"
      try await sandbox.output("\(away) gridctl context add far -q -e \(address) --token-file $PWD/token")
      #expect(try await sandbox.output("\(away) gridctl -C far peers -o name") == "peer/n1")
      let checked = try await sandbox.output("\(away) gridctl context check far -o jsonpath='{.items[*].ok}'")
      #expect(checked == "true")
      let shown = try await sandbox.output("\(away) gridctl context show far")
      #expect(shown.contains("token = \"file:\(sandbox.directory)/token\""), "\(shown)")
      for reference in ["env:GRID_TOKEN", "cmd:cat token"] {
        try await sandbox.output("sed -i 's|^token = .*|token = \"\(reference)\"|' config/gridctl/contexts/far.toml")
        #expect(try await sandbox.output("GRID_TOKEN=$(cat token) \(away) gridctl -C far peers -o name") == "peer/n1")
      }
      // The variable goes before the context, and the command line before the variable.
      try await sandbox.output("cp -p token good; echo none >token")
      try await expect("\(away) gridctl -C far peers", in: sandbox, ends: 77, saying: "what was given is no token")
      let check = try await sandbox.run("\(away) gridctl context check far")
      #expect(check.status == 2 && check.output.contains("what was given is no token"), "\(check)")
      #expect(try await sandbox.output("GRIDCTL_TOKEN_FILE=good \(away) gridctl -C far peers -o name") == "peer/n1")
      let option = "GRIDCTL_TOKEN_FILE=token \(away) gridctl -C far peers -o name"
      #expect(try await sandbox.output("\(option) --token-file good") == "peer/n1")
      #expect(try await sandbox.output("\(option) --secret-file state/gridctl/default/secret") == "peer/n1")
      // A context is used from everywhere, wherever it was made.
      try await sandbox.output("\(away) gridctl context add near -q -e \(address) --token-file good")
      #expect(try await sandbox.output("\(away) sh -c 'cd run && gridctl -C near peers -o name'") == "peer/n1")
    }
  }

  @Test func aNewMachineGetsTheSecretWithATokenThatIsGoodForNothingElse() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let address = try await sandbox.address("n1")
      try await sandbox.output(
        "for file in one two; do gridctl token create --role node --single-use --expires 1h --out $file; done")
      let away = "XDG_STATE_HOME=$PWD/away XDG_RUNTIME_DIR=$PWD/away gridctl"
      for verb in ["peers", "actors", "spawn echo x", "tell x x", "node stop n1 --yes", "token list"] {
        try await sandbox.output("gridctl token create --role node --out join")
        try await expect(
          "\(away) -e \(address) --token-file join \(verb); status=$?; rm join; exit $status", in: sandbox, ends: 77,
          saying: "it lets a new node in, and is good for nothing else")
      }
      let joined = try await sandbox.run("\(away) node join \(address) --token-file one")
      #expect(joined.status == 0 && joined.output.contains("has the secret of namespace default"), "\(joined)")
      try await sandbox.output("cmp state/gridctl/default/secret away/gridctl/default/secret")
      #expect(try await sandbox.output("stat -c '%a %s' away/gridctl/default/secret") == "600 32")
      #expect(try await sandbox.output("\(away) -e \(address) peers -o name") == "peer/n1")
      try await expect(
        "\(away) node join \(address) --token-file one", in: sandbox, ends: 77, saying: "was good for one connection")
      // A secret that lies there is no other cluster's to replace.
      try await sandbox.output("umask 077; head -c 32 /dev/urandom >away/gridctl/default/secret")
      try await expect(
        "\(away) node join \(address) --token-file two", in: sandbox, ends: 73, saying: "there is another secret")
      try await expect("\(away) node join \(address)", in: sandbox, ends: 64, saying: "token create --role node")
      try await sandbox.output("gridctl token create --role viewer --out viewer")
      try await expect(
        "\(away) node join \(address) --token-file viewer", in: sandbox, ends: 77, saying: "node.secret")
    }
  }

  @Test func theTokenIsNowhereButInItsFile() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1 --log-level trace")
      let address = try await sandbox.address("n1")
      // The pattern is in a file, since what looks for it must not be what is found.
      try await sandbox.output(
        "gridctl token create --role operator --out token -vv 2>said && cut -d- -f3 token >../\(sandbox.pattern)")
      let guest = "\(Self.guest(address)) --token-file token"
      try await sandbox.output(
        """
        gridctl spawn exec child -- sh -c 'while read x; do env | paste -s -d " "; done'
        \(guest) events --since 1h -vv >events 2>>said & client=$!
        eventually 'test -s events'
        \(guest) peers -o json -vv >peers 2>>said
        \(guest) token list -o json >list 2>>said
        \(guest) ask child x >environment 2>>said; grep -q PATH environment || exit 8
        if grep -laFf ../\(sandbox.pattern) /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; then exit 9; fi
        kill $client; wait $client || true
        """)
      #expect(
        try await sandbox.output("grep -rlaFf ../\(sandbox.pattern) . || true; rm ../\(sandbox.pattern)") == "./token")
    }
  }
}

extension Sandbox {
  /// The name of a file beside the sandbox.
  fileprivate var pattern: String { "\(directory.split(separator: "/").last ?? "")-pattern" }
}
