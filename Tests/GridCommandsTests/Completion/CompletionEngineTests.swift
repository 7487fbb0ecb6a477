internal import ArgumentParser
internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct CompletionEngineTests {
  private static let engine = CompletionEngine(tree: .gridctl)
  private static let names: [CompletionNoun: [CompletionName]] = [
    .actor: [CompletionName("orders-7", detail: "exec on n1"), CompletionName("orders-19"), CompletionName("hits")],
    .node: [CompletionName("n1"), CompletionName("n2")], .kind: [CompletionName("echo"), CompletionName("exec")],
    .context: [CompletionName("prod")], .leader: [CompletionName("main")],
    .deadLetter: [CompletionName("01ABC"), CompletionName("01ABD")],
  ]

  private func offered(_ words: [String], _ partial: String = "") -> [String] {
    Self.engine.candidates(words: words, partial: partial) { Self.names[$0] ?? [] }.map(\.text)
  }

  @Test func `verbs, without the hidden ones`() {
    let verbs = offered([])
    #expect(verbs.contains("tell") && verbs.contains("dead-letters") && verbs.contains("help"))
    #expect(!verbs.contains { $0.hasPrefix("__") || $0.hasPrefix("-") })
    #expect(offered([], "de") == ["dead-letters"] && offered([], "zz") == [])
    #expect(offered(["node"]) == ["start", "join", "info", "ping", "stop"])
  }

  @Test(arguments: [
    (["ask"], "or", ["orders-19", "orders-7"]), (["ask", "-t", "5s"], "h", ["hits"]),
    (["-o", "json", "ask"], "h", ["hits"]),
    (["restart"], "or", ["orders-19", "orders-7"]), (["restart", "orders-7", "hits"], "", ["orders-19"]),
    (["stop", "hits"], "", ["orders-19", "orders-7"]), (["inspect"], "actor/o", ["actor/orders-19", "actor/orders-7"]),
    (["spawn"], "e", ["echo", "exec"]), (["spawn", "echo", "x", "--on"], "", ["n1", "n2"]),
    (["spawn", "echo", "x"], "--on=n", ["--on=n1", "--on=n2"]), (["spawn", "echo"], "", []),
    (["node", "stop"], "", ["n1", "n2"]), (["-C"], "", ["prod"]), (["context", "use"], "p", ["prod"]),
    (["leader", "show"], "", ["main"]), (["dead-letters", "replay", "01ABC"], "", ["01ABD"]),
    (["dead-letters", "replay"], "dead-letter/01ABC", ["dead-letter/01ABC"]),
    (["events", "--kind"], "p", ["peer"]), (["events", "--kind"], "peer,a", ["peer,actor"]),
    (["events", "--kind"], "peer,p", []), (["--color"], "a", ["auto", "always"]),
    (["spawn", "echo", "x", "--overflow"], "drop-n", ["drop-newest"]),
    (["wait"], "", ["peers>=", "actors>=", "actor/", "no-actor/", "leader/"]),
    (["wait"], "no-actor/h", ["no-actor/hits"]), (["wait", "peers>=2"], "leader/", ["leader/main"]),
    (["-o"], "js", ["json", "jsonl", "jsonpath="]), (["peers"], "--output=y", ["--output=yaml"]),
    (["bench"], "", ["ask", "tell"]), (["bench", "ask"], "o", ["orders-19", "orders-7"]),
    (["completion"], "z", ["zsh"]), (["spawn", "exec", "x", "--"], "", []), (["tell", "hits"], "", []),
    (["nonsense"], "", []), (["ask", "--nonsense", "hits"], "", []), (["top", "--by"], "ra", ["rate"]),
  ])
  func `values`(_ words: [String], _ partial: String, _ expected: [String]) {
    #expect(offered(words, partial) == expected)
  }

  @Test func `options, but not those that were given`() {
    #expect(offered(["tell"], "--no-w") == ["--no-wait"])
    #expect(offered(["tell", "--no-wait"], "--no-w") == [])
    #expect(offered(["peers", "--label", "a=b"], "--lab") == ["--label"])
    #expect(offered(["peers"], "-").allSatisfy { $0.hasPrefix("--") })
    // Of a group without a verb, those of the verb that is meant.
    #expect(offered(["dead-letters"], "--reas") == ["--reason"])
    #expect(offered(["dead-letters", "--reason"], "han") == ["handler-failed"])
  }

  @Test func `files after @ and for options that name one`() {
    #expect(Self.engine.plan(words: ["tell", "hits"], partial: "@a/b").wantsFiles)
    #expect(Self.engine.plan(words: ["tell", "hits"], partial: "@a/b").partialValue == "a/b")
    #expect(Self.engine.plan(words: ["node", "start", "--pid-file"], partial: "").wantsFiles)
    #expect(!Self.engine.plan(words: ["tell", "hits"], partial: "a").wantsFiles)
  }

  @Test func `names outside the grammar are never offered`() {
    let hostile = ["$(touch x)", "`x`", "a;b", "a b", "a'b", "a\"b", "a\nb", "a:b", "a=b", "ü", "", "-x", "\u{1B}[2J"]
    let offered = Self.engine.candidates(words: ["ask"], partial: "") { _ in
      hostile.map { CompletionName($0, detail: "\u{1B}[31m") } + [CompletionName("good", detail: "a\u{7}b")]
    }
    #expect(offered == [CompletionCandidate("good", detail: "a\\u{07}b")])
  }

  @Test func `every placeholder of the help is known`() {
    let free: Set<String> = [
      "endpoint", "namespace", "duration", "count", "key=value", "type", "host:port", "descriptor", "name", "command",
      "count/duration", "size", "rate", "conditions", "text", "reference", "condition-text", "duration|number",
      "duration|time", "duration|time|number", "name|pattern*", "bound", "store", "prefix", "days", "host", "caller",
      "verb", "group",
      "name=soft[:hard]",
    ]
    var unknown: Set<String> = []
    func look(_ command: CommandTree.Command) {
      if command.isHidden { return }
      for argument in command.arguments where argument.kind != .flag && !argument.isHidden {
        if CompletionValue.byPlaceholder[argument.valueName] == nil, !free.contains(argument.valueName) {
          unknown.insert("\(command.name): \(argument.valueName)")
        }
      }
      for command in command.commands { look(command) }
    }
    look(CommandTree.gridctl.root)
    #expect(unknown == [])
  }

  @Test func `the parser's own scripts know no option that the tree does not`() {
    let script = Gridctl.completionScript(for: .fish)
    var known: Set<String> = []
    func look(_ command: CommandTree.Command) {
      for argument in command.arguments { known.formUnion(argument.names) }
      for command in command.commands { look(command) }
    }
    look(CommandTree.gridctl.root)
    let long = script.split(separator: "\n").compactMap { line -> String? in
      guard let place = line.firstRange(of: " -l '") else { return nil }
      return "--" + line[place.upperBound...].prefix { $0 != "'" }
    }
    #expect(long.count > 50)
    #expect(Set(long).subtracting(known) == [])
  }
}

@Suite struct ShellWordsTests {
  @Test(arguments: [
    ("", [], ""), ("gridctl", [], "gridctl"), ("gridctl ", ["gridctl"], ""),
    ("gridctl ask or", ["gridctl", "ask"], "or"),
    ("gridctl  ask\tx ", ["gridctl", "ask", "x"], ""), (#"gridctl tell a\ b "c d"#, ["gridctl", "tell", "a b"], "c d"),
    ("gridctl tell 'a b' x", ["gridctl", "tell", "a b"], "x"), (#"g "a\"b" "#, ["g", "a\"b"], ""),
    (#"g "a\nb" "#, ["g", "a\\nb"], ""), ("g 'a'\"b\"c", ["g"], "abc"), ("g ''", ["g"], ""), ("g '' ", ["g", ""], ""),
    ("echo x; gridctl ask h", ["gridctl", "ask"], "h"), ("a | gridctl ", ["gridctl"], ""), ("a && b", [], "b"),
    ("g 'a;b", ["g"], "a;b"), (#"g a\"#, ["g"], "a"), ("gridctl ask ü", ["gridctl", "ask"], "ü"),
  ])
  func `a line is divided as a shell does`(_ line: String, _ words: [String], _ partial: String) {
    let divided = ShellWords(line)
    #expect(divided.words == words && divided.partial == partial)
  }

  @Test func `the open quote is known`() {
    #expect(ShellWords("g \"a").openQuote == "\"" && ShellWords("g 'a").openQuote == "'")
    #expect(ShellWords("g 'a'").openQuote == nil)
    #expect(ShellWords("g abc").partialStart == 2)
  }
}

@Suite struct ShellAnswerTests {
  private func lines(_ texts: [String], _ shell: ShellAnswer.Shell, _ partial: String = "", _ quote: Character? = nil)
    -> [String]
  {
    ShellAnswer.lines(
      texts.map { CompletionCandidate($0, detail: "it\tis\nso") }, for: shell, partial: partial,
      wordBreaks: " \t\n\"'><=;|&(:", openQuote: quote)
  }

  @Test func `bash gets escaped text after the last word break`() {
    #expect(
      lines(["a b", "$(x)", "`x`", "a;b", "a'b\"c", "!x", "ü"], .bash) == [
        #"a\ b"#, #"\$\(x\)"#, #"\`x\`"#, #"a\;b"#, #"a\'b\"c"#, #"\!x"#, "ü",
      ])
    #expect(lines(["--output=json"], .bash, "--output=j") == ["json"])
    #expect(lines(["127.0.0.1:4743"], .bash, "127.0.0.1:") == ["4743"])
    #expect(lines(["a\nb", "a\u{1B}b", "a\u{9B}b"], .bash) == [])
    #expect(lines(["a b", "a$b", "a\"b"], .bash, "", "\"") == ["a b"])
    #expect(lines(["~/x y", "a~b"], .bash) == [#"~/x\ y"#, #"a\~b"#])
  }

  @Test(arguments: [ShellAnswer.Shell.zsh, .fish])
  func `zsh and fish get the word and what it is`(_ shell: ShellAnswer.Shell) {
    #expect(lines(["a b", "--output=json", "a\nb"], shell, "--output=j") == ["a b\titis", "--output=json\titis"])
  }
}
