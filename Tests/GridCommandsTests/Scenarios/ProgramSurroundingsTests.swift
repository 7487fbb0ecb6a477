import Foundation
import Testing

/// What programs are given, and that bytes and numbers pass as they are.
@Suite struct ProgramSurroundingsTests {
  /// Answers the value of the variable it is asked for.
  private static let teller =
    "sh -c 'while read -r name; do eval \"printf \\\"%s\\\\n\\\" \\\"\\${$name-unset}\\\"\"; done'"

  @Test func programsGetAListOfVariablesAndWhatIsPassedOn() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(
        """
        printf 'kinds: { tell: { command: [sh, -c, "while read -r n; do printenv $n || echo unset; done"], \
        environment: { OWN: kind } } }' >kinds.yaml
        SECRET=s FOO_A=1 FOO_B=2 ONE=1 ONEMORE=x LC_TIME=C GRIDCTL_ETCD_PASSWORD=p NOTIFY_SOCKET=@none \
        WATCHDOG_USEC=60000000 WATCHDOG_PID=1 GRIDCTL_TOKEN_FILE=t GRIDCTL_ETCD_PASSWORD_FILE=f \
        GRIDCTL_ETCD_CERT=c CREDENTIALS_DIRECTORY=/c start --name n1 --pass-env 'FOO_*' --pass-env ONE \
        --pass-env 'GRIDCTL_*' --pass-env '*_SOCKET' --pass-env 'CRED*' --pass-env 'WATCHDOG_*' --kinds-file kinds.yaml
        gridctl spawn exec env --env OWN=own --env ONE=mine -- \(Self.teller)
        gridctl spawn tell kind
        """)
      let expected = [
        ("SECRET", "unset"), ("GRIDCTL_ETCD_PASSWORD", "unset"), ("NOTIFY_SOCKET", "unset"),
        ("WATCHDOG_USEC", "unset"), ("WATCHDOG_PID", "unset"), ("FOO_A", "1"), ("GRIDCTL_TOKEN_FILE", "unset"),
        ("GRIDCTL_ETCD_PASSWORD_FILE", "unset"), ("GRIDCTL_ETCD_CERT", "unset"),
        ("CREDENTIALS_DIRECTORY", "unset"), ("GRIDCTL_SECRET_FILE", "unset"),
        ("FOO_B", "2"), ("ONEMORE", "unset"), ("LC_TIME", "C"), ("GRIDCTL_NODE", "n1"),
      ]
      for (name, value) in expected {
        #expect(
          try await sandbox.output("gridctl ask env \(name); gridctl ask kind \(name)") == "\(value)\n\(value)",
          "\(name)")
      }
      #expect(
        try await sandbox.output("gridctl ask env OWN; gridctl ask env ONE; gridctl ask kind OWN") == "own\nmine\nkind")
      #expect(try await sandbox.output("gridctl ask env PATH") != "unset")
      // Their names are shown, their values never.
      let shown = try await sandbox.output("gridctl inspect env -o json")
      #expect(!shown.contains("mine"), "\(shown)")
      #expect(try await sandbox.output("gridctl inspect env -o jsonpath='{.exec.environment[*]}'") == "ONE OWN")
      let wrong = try await sandbox.run("start --name n2 --pass-env 'A=B'")
      #expect(wrong.status == 64, "\(wrong)")
    }
  }

  @Test func whatTheUserStartsHasTheUsersEnvironmentButNoSecretOfGridctl() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let variables = "MINE=m GRIDCTL_ETCD_PASSWORD=p NOTIFY_SOCKET=@none"
      let print = "sh -c 'echo $MINE ${GRIDCTL_ETCD_PASSWORD-unset} ${NOTIFY_SOCKET-unset}'"
      #expect(try await sandbox.output("\(variables) gridctl leader run l -- \(print)") == "m unset unset")
      #expect(
        try await sandbox.output("\(variables) gridctl events --since 0 --count 1 -q --exec -- \(print)").hasSuffix(
          "m unset unset"))
      let shell = "!echo $MINE ${GRIDCTL_ETCD_PASSWORD-unset} ${NOTIFY_SOCKET-unset}"
      #expect(try await sandbox.output("\(variables) gridctl repl -c '\(shell)'") == "m unset unset")
    }
  }

  @Test func bytesStayBytesOrAreRefused() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output(#"RAW=$'\xff\x41' start --name n1 --pass-env RAW"#)
      try await sandbox.output(
        """
        gridctl spawn exec raw -- sh -c 'while read -r x; do printf %s "$RAW" | od -An -tx1; done'
        gridctl spawn echo e
        """)
      #expect(try await sandbox.output("gridctl ask raw x") == " ff 41")
      let led = #"RAW=$'\xff\x41' gridctl leader run l -- sh -c 'printf %s "$RAW" | od -An -tx1'"#
      #expect(try await sandbox.output(led) == " ff 41")
      #expect(try await sandbox.output(#"printf '\xff\x41' | gridctl ask e - | od -An -tx1"#) == " ff 41 0a")
      for line in [
        #"gridctl ask e $'caf\xe9'"#, #"gridctl tell e @$'caf\xe9'"#, #"gridctl spawn exec x -- echo $'\xff'"#,
        #"gridctl spawn exec x --env A=$'\xff' -- cat"#, #"GRIDCTL_NAMESPACE=$'\xff' gridctl peers"#,
      ] {
        let refused = try await sandbox.run(line)
        #expect(refused.status == 64, "\(line): \(refused)")
        #expect(refused.errors.contains("is not UTF-8: “"), "\(refused.errors)")
      }
      #expect(
        try await sandbox.run(#"gridctl ask e $'caf\xe9'"#).errors.hasPrefix(
          #"error: argument 3 is not UTF-8: “caf\xe9”"#))
      let file = try await sandbox.run(
        #"printf 'kinds: { a: { command: ["\xff"] } }' >k; start --name n2 --kinds-file k"#)
      #expect(file.status == 78, "\(file)")
    }
  }

  @Test func numbersPassAsTheyWereWritten() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1", "n2")
      let numbers = "[12345678901234567890,1.10,1e400,-0,0.1,1E+3]"
      // Whatever it is asked, it asks the other one for the numbers, and passes the answer on.
      let asker = """
        while read -r line; do
          number=$(printf "%s" "$line" | sed "s/.*\\"message\\":\\([0-9]*\\).*/\\1/")
          printf "{\\"ask\\":\\"keeper\\",\\"id\\":7.0,\\"body\\":\(numbers)}\\n"
          read -r answer; echo "$answer" >>answers
          body=${answer#*body\\":}; printf "{\\"reply\\":%s,\\"body\\":%s}\\n" "$number" "${body%%,\\"*}"
        done
        """
      let keeper = """
        while read -r line; do echo "$line" >>kept
          number=$(printf "%s" "$line" | sed "s/.*\\"message\\":\\([0-9]*\\).*/\\1/")
          printf "{\\"reply\\":%s,\\"body\\":\(numbers)}\\n" "$number"
        done
        """
      try await sandbox.output("gridctl spawn exec keeper --on n2 --framing json -- bash -c '\(keeper)'")
      try await sandbox.output("gridctl spawn exec asker --on n1 --framing json -- bash -c '\(asker)'")
      _ = try await sandbox.run("gridctl ask asker x")
      #expect(try await sandbox.output("cat kept").contains("\"body\":\(numbers)"))
      #expect(try await sandbox.output("cat answers").contains("\"answer\":7.0,\"body\":\(numbers)"))
      #expect(try await sandbox.output("gridctl ask keeper x") == numbers)
      #expect(try await sandbox.output("gridctl ask keeper x -o json | tr -d ' \\n'").contains("\"reply\":\(numbers)"))
      try await sandbox.output("rm kept; gridctl repl -c 'let n = ask keeper x; ask keeper {\"n\": $n}'")
      #expect(try await sandbox.output("tail -n 1 kept").contains("\(numbers)}"))
    }
  }
}
