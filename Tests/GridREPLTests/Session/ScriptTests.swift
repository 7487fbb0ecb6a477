import Testing

/// Scripts: the session without a terminal.
@Suite struct ScriptTests {
  @Test func aScriptNeedsNoNodeUntilACommandDoes() async throws {
    try await withCluster { cluster in
      let result = try await cluster.run("gridctl repl -c 'let x = {\"a\": [1, 2]}; $x.a[-1]; (len($x.a) >= 2)'")
      #expect(result.output == "2\ntrue\n")
      #expect(result.status == 0)
      let failing = try await cluster.run("gridctl repl -c 'let x = 1; peers; $x'")
      #expect(failing.status == 69)
      #expect(failing.output == "")
      #expect(failing.errors.contains("no node of namespace default runs on this machine"))
    }
  }

  @Test func theFirstFailureEndsAScriptUnlessTold() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let script = "spawn echo a -o name\ntell nobody x\nspawn echo b -o name\n"
      let stopping = try await cluster.run("gridctl repl", input: script)
      #expect(stopping.output == "actor/a\n")
      #expect(stopping.status == 67)
      let going = try await cluster.run("gridctl repl --on-error continue -f -", input: script)
      #expect(going.output == "actor/b\n")
      #expect(going.status == 3, "some failed: a is taken, nobody is nobody")
      #expect(going.errors.contains("nobody"))
    }
  }

  @Test func whatCannotBeReadIsFoundBeforeAnythingRuns() async throws {
    try await withCluster { cluster in
      let result = try await cluster.run(
        "printf '1 |> nothing\\n' > s; gridctl repl -c \"let a = 1\n$(cat s)\"; exit $?")
      #expect(result.status == 64)
      #expect(result.errors.contains("-c, line 2: "))
      let unfinished = try await cluster.run("gridctl repl -c 'if 1 == 1; !touch made'; ls made")
      #expect(unfinished.errors.contains("end is missing"))
      #expect(unfinished.output == "")
    }
  }

  @Test func pipesFilesAndRows() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let result = try await cluster.run(
        """
        gridctl repl -c '
          for n in ["a", "b", "c"]; spawn counter $n -o name > /dev/null; tell $n 7; end
          actors -o name | sort -r | head -2
          actors |> each -P 3 ask {}
          actors -o name > list
          kinds -o name >> list
          let sums = actors |> each ask {}
          $sums.items[1]
          tell a {"add": $sums.items[0]}
          ask a
        '; tail -2 list
        """)
      #expect(result.output == "actor/c\nactor/b\n7\n7\n7\n7\n14\nkind/exec\nkind/sink\n")
      #expect(result.errors == "")
      #expect(result.status == 0)
    }
  }

  @Test func someFailingRowsArePartial() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let result = try await cluster.run(
        "gridctl spawn echo a >/dev/null; gridctl repl -c 'let x = [\"a\", \"nobody\"]; $x |> each ask {} hello'")
      #expect(result.output == "hello\n")
      #expect(result.errors.hasPrefix("error: nobody: no actor nobody"), "\(result.errors)")
      #expect(result.errors.contains("error: 1 of 2 rows failed: nobody\n"), "\(result.errors)")
      #expect(result.status == 3)
    }
  }

  @Test func linesAreTakenAsTheyCome() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let result = try await cluster.run(
        """
        coproc gridctl repl
        echo 'spawn counter hits -o name' >&${COPROC[1]}; read -r answer <&${COPROC[0]}; echo "first: $answer"
        echo 'tell hits 3; ask hits' >&${COPROC[1]}; read -r answer <&${COPROC[0]}; echo "second: $answer"
        exec {COPROC[1]}>&-; wait $COPROC_PID; echo "end: $?"
        """)
      #expect(result.output == "first: actor/hits\nsecond: 3\nend: 0\n", "\(result.errors)")
    }
  }

  @Test func standardInputIsNotTheSessionsToRead() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run("gridctl spawn counter hits")
      let refused = try await cluster.run("gridctl repl", input: "tell hits -\n5\n")
      #expect(refused.status == 64)
      #expect(refused.errors.contains("standard input belongs to the session"))
      let taken = try await cluster.run("printf '5' | gridctl repl -c 'tell hits -; ask hits'")
      #expect(taken.output == "5\n")
    }
  }

  @Test func commandsThatTakeTheProcessOverAreRefused() async throws {
    try await withCluster { cluster in
      for line in ["node start", "repl", "leader run x -- true"] {
        let result = try await cluster.run("gridctl repl -c '\(line)'")
        #expect(result.status == 64, "\(line): \(result.errors)")
        #expect(result.errors.contains("needs a process of its own"))
      }
    }
  }

  @Test func misspeltWordsGetSuggestions() async throws {
    try await withCluster { cluster in
      let command = try await cluster.run("gridctl repl -c 'actrs'")
      #expect(command.errors.contains("there is no command actrs"))
      #expect(command.errors.contains("similar: actors"))
      let colon = try await cluster.run("gridctl repl -c ':jbos'")
      #expect(colon.errors.contains("similar: :jobs"))
      let variable = try await cluster.run("gridctl repl -c 'let total = 1; $totl'")
      #expect(variable.errors.contains("similar: $total"))
      let help = try await cluster.run("gridctl repl -c 'help wtach'")
      #expect(help.errors.contains("similar: watch"))
    }
  }

  @Test func aShellPipeThatHasSeenEnoughIsNoFailure() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let result = try await cluster.run("timeout 30 gridctl repl -c 'node ping -c 100000 -i 1ms | head -1'; echo $?")
      #expect(result.output.hasSuffix("\n0\n"), "\(result)")
      #expect(result.output.split(separator: "\n").count == 2)
    }
  }

  @Test func aShellCommandFailsWithItsOwnCode() async throws {
    try await withCluster { cluster in
      for (script, code) in [("!exit 7", 7), ("exit-codes | exit 9", 9), ("exit 5; !exit 7", 5), ("exit-codes >", 64)] {
        let result = try await cluster.run("gridctl repl -c '\(script)'")
        #expect(result.status == Int32(code), "\(script): \(result.errors)")
      }
    }
  }

  @Test func errorsNameFileLineAndRow() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let script = """
        peers -o name

        for n in 1 2
          if $n == 2
            tell nobody $n
          end
        end
        """
      _ = try await cluster.run("cat > look.grid", input: script + "\n")
      let file = try await cluster.run("gridctl repl -f look.grid")
      #expect(
        file.errors.hasPrefix("error: look.grid, line 5: no actor nobody in namespace default\n"), "\(file.errors)")
      #expect(file.status == 67)
      let input = try await cluster.run("gridctl repl", input: "\n\npers\n")
      #expect(input.errors.hasPrefix("error: standard input, line 3: there is no command pers\n"), "\(input.errors)")
      let text = try await cluster.run("gridctl repl -c $'let x = 1\n$x |> each ask nobody-{}'")
      #expect(text.errors.hasPrefix("error: -c, line 2: 1: no actor nobody-1"), "\(text.errors)")
      let line = try await cluster.run("gridctl repl -c 'let x = 1; $y'")
      #expect(line.errors.hasPrefix("error: there is no variable $y"), "\(line.errors)")
      let json = try await cluster.run("gridctl repl -o json -f look.grid")
      #expect(json.errors.contains("\"file\":\"look.grid\""), "\(json.errors)")
      #expect(json.errors.contains("\"line\":5"), "\(json.errors)")
      let sourced = try await cluster.run("gridctl repl -c ':source look.grid'")
      #expect(sourced.errors.hasPrefix("error: look.grid, line 5: "), "\(sourced.errors)")
    }
  }

  @Test func theCodeIsThatOfTheLineThatFailed() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      for (script, options, code, output) in [
        ("exit-codes >/dev/null\nask nobody\n!touch made", "", 67, ""), ("!true\n!exit 9\n!exit 8", "", 9, ""),
        ("!exit 9\necho on\n", "--on-error continue", 3, "on\n"), ("!exit 9\n!exit 8", "--on-error continue", 8, ""),
        ("let x = ask nobody\necho $x", "", 67, ""), ("for n in 1 2\n!exit $n\nend", "", 0, ""),
        ("if 1 == 1\nask nobody\nend\necho on", "", 67, ""), ("ask nobody\n$?", "--on-error continue", 3, "67\n"),
      ] {
        let result = try await cluster.run(
          "gridctl repl \(options) -c \"$(cat)\"; c=$?; ls made; exit $c", input: script)
        #expect(result.status == Int32(code), "\(script): \(result.errors)")
        #expect(result.output == output, "\(script)")
      }
    }
  }

  @Test func aNodeThatGoesInTheMiddleEndsNoScriptThatAnotherCanServe() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let going = try await cluster.run(
        """
        gridctl repl -c "let first = node info
        !gridctl node stop \\$(gridctl node info -o jsonpath={.name})
        watch -n 50ms --until '\\$_.alive == 1' peers >/dev/null
        node info -o name"
        """
      )
      #expect(going.status == 0, "\(going.errors)")
      #expect(going.output.split(separator: "\n").last?.hasPrefix("node/") == true, "\(going.output)")
      let alone = try await cluster.run(
        "gridctl repl -c $'peers -o name\n!gridctl node stop\npeers -o name\n!touch made'; c=$?; ls made; exit $c")
      // It was gone, or just going.
      #expect([69, 75].contains(alone.status), "\(alone.errors)")
      #expect(alone.errors.contains("-c, line 3: "), "\(alone.errors)")
    }
  }

  @Test func echoPrintsWordsAndValues() async throws {
    try await withCluster { cluster in
      let result = try await cluster.run(
        """
        gridctl repl -c '
          let r = {"total": 912}
          echo total is $r.total
          echo -n no; echo " line"
          echo "$r.total" > file
          for n in 1 "two" $r.total; echo $n; end
          echo a b |> each echo row {}
          echo x | tr x y
          $_
          clear
        '; cat file
        """)
      #expect(
        result.output == "total is 912\nno line\n1\ntwo\n912\nrow a b\ny\ny\n912\n"
          || result.output.hasPrefix("total is 912\nno line\n1\ntwo\n912\nrow a b\ny\n"), "\(result.output)")
      #expect(result.errors == "")
    }
  }

  @Test func helpEndsWithExamples() async throws {
    try await withCluster { cluster in
      for name in ["let", "each", "watch", "pipes", "if", "for", "values", "echo", "clear"] {
        let result = try await cluster.run("gridctl repl -c 'help \(name)'")
        #expect(result.output.contains("Examples:"), "help \(name)")
        #expect(result.status == 0)
      }
      let overview = try await cluster.run("gridctl repl -c help")
      for word in ["peers", "dead-letters", ":attach NODE", "watch", "Leaving never stops a node"] {
        #expect(overview.output.contains(word), "\(word)")
      }
    }
  }
}
