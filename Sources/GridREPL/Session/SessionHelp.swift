internal import GridCommands
internal import GridCore

/// What `help` and F1 say.
enum SessionHelp {
  /// One thing that can be asked about.
  struct Topic: Sendable {
    var name: String
    var summary: String
    var text: String
  }

  /// The help for words: the overview without any, a topic of the session, or a command of the tree.
  ///
  /// - Throws: ``GridError/Code/usage`` for what there is no help on.
  static func text(for words: [String], columns: Int? = nil) throws(GridError) -> String {
    guard let first = words.first else { return overview }
    let name = first.hasPrefix(":") ? String(first.dropFirst()) : first
    if first.hasPrefix(":"), let command = ColonCommands.all.first(where: { $0.names.contains(name) }) {
      return ":\(command.usage)\n  \(command.summary)\n"
    }
    if let topic = topics.first(where: { $0.name == name }) { return topic.text + "\n" }
    if let help = CommandHelp.help(for: words, columns: columns) { return help.hasSuffix("\n") ? help : help + "\n" }
    if let command = ColonCommands.all.first(where: { $0.names.contains(name) }) {
      return ":\(command.usage)\n  \(command.summary)\n"
    }
    let known = CommandHelp.commands().map(\.name) + topics.map(\.name) + ColonCommands.all.map { ":" + $0.name }
    let similar = CommandWords.near(first, in: known)
    throw GridError(
      .usage, "there is no help on \(NameRules.quoted(first))",
      hint: similar.isEmpty ? "help lists what there is" : "similar: \(similar.joined(separator: ", "))")
  }

  /// The usage of what is being typed, with an example, for F1; nil when nothing is known of it.
  static func usage(for words: [String]) -> String? {
    guard let first = words.first else { return nil }
    if first.hasPrefix(":") {
      return ColonCommands.all.first { $0.names.contains(String(first.dropFirst())) }.map {
        ":\($0.usage)   \($0.summary)"
      }
    }
    if let topic = topics.first(where: { $0.name == first }) { return topic.text }
    guard let usage = CommandHelp.usage(for: words) else { return nil }
    let lines = usage.split(separator: "\n").map { line in
      let line = line.drop { $0 == " " }
      return line.hasPrefix("gridctl ") ? String(line.dropFirst(8)) : String(line)
    }
    let example = CommandHelp.example(for: words).map { ["  example: \($0)"] } ?? []
    return (lines + example).joined(separator: "\n")
  }

  static var overview: String {
    let commands = CommandHelp.commands().map { ($0.name, $0.abstract) }
    let forms = topics.map { ($0.name, $0.summary) }
    let colon = ColonCommands.all.map { (":" + $0.usage, $0.summary) }
    return """
      Commands, as in the shell:
      \(table(commands))
      Forms (help NAME):
      \(table(forms))
      The session:
      \(table(colon))
      TAB finishes words, F1 shows the usage of what is being typed, Ctrl-C ends the request, Ctrl-D leaves.
      Leaving never stops a node.

      """
  }

  private static func table(_ rows: [(String, String)]) -> String {
    let width = min(28, rows.map(\.0.count).max() ?? 0)
    return rows.map { name, text in
      "  \(name)\(String(repeating: " ", count: max(1, width - name.count + 2)))\(text)\n"
    }.joined()
  }

  static let topics = [
    Topic(
      name: "let", summary: "keep a result under a name",
      text: """
        let NAME = COMMAND | VALUE
          Keeps the value of a command, without showing it. $NAME stands for it, $NAME.member and $NAME[0] for parts.
          Examples:
            let s = ask orders-7 -m Status
            tell audit {"seen": $s.total}
            let names = $1.items
        """),
    Topic(
      name: "values", summary: "$_ $? $! $N, and ways into them",
      text: """
        $_   the last value        $?   the last exit code       $!   the last error
        $N   the value of result N ($1 is the first)             ${NAME} where letters follow
          .member, ["any text"], [0] and [-1] lead into a value. On a list, .STATUS counts: $_.alive after peers.
          In a body that is JSON, values are put in as JSON; a variable never becomes two words. In single quotes
          $ is a character like any other, in double quotes "\\$" is.
          Examples:
            $_.items[0].name
            ask orders-7 {"since": $s.last}
            $! | jq .hint
        """),
    Topic(
      name: "each", summary: "a command for every row of another",
      text: """
        COMMAND |> each [-P COUNT] COMMAND
          Runs the command once a row, COUNT at a time. {} is the row's name, {.member} a part of it.
          Examples:
            actors --min-mailbox 100 |> each inspect {}
            dead-letters list --reason mailbox-full |> each dead-letters replay {}
            peers |> each -P 8 node ping {.name}
        """),
    Topic(
      name: "watch", summary: "a command again and again",
      text: """
        watch [-n DURATION] [-c COUNT] [-d] [--until EXPRESSION] COMMAND
          Every 2s unless told; -d marks what changed; ends with 0 once the expression holds, 2 when COUNT is first.
          Examples:
            watch actors --min-mailbox 1
            watch -n 500ms -d peers
            watch --until '$_.alive == 5' peers
        """),
    Topic(
      name: "pipes", summary: "to the shell, into files, behind the prompt",
      text: """
        COMMAND | SHELL-COMMAND      COMMAND > FILE      COMMAND >> FILE      COMMAND &      !SHELL-COMMAND
          Into pipes and files goes the form for programs. :jobs, :fg and :kill are for what & put behind the prompt.
          Examples:
            actors -o jsonl | jq -r .name | sort
            dead-letters list -o json > letters.json
            events --kind actor &
        """),
    Topic(
      name: "if", summary: "a choice",
      text: """
        if EXPRESSION; COMMANDS; else; COMMANDS; end
          == != < <= > >= =~   and or not   len(x) contains(x, y) matches(text, 'pattern-*')
          Examples:
            if $? == 67; spawn counter hits; end
            if len($_.items) > 0; $_.items[0]; else; peers; end
            if $s.total >= 10 and not $s.closed; tell audit full; end
        """),
    Topic(
      name: "for", summary: "commands for every row",
      text: """
        for NAME in COMMAND | VALUE...; COMMANDS; end
          Runs the commands for each row of the command, each element of the value, or each of several values. Texts
          stand in quotes: a bare word is a command.
          Examples:
            for p in peers; node ping $p.name; end
            for a in actors 'orders-*'; ask $a.name -m Status; end
            for n in 1 2 3; tell hits $n; end
            for w in 'red' 'green'; spawn counter $w; end
        """),
    Topic(
      name: "echo", summary: "print words and values",
      text: """
        echo [-n] WORD...
          Prints the words with a blank between them; -n leaves the line feed out.
          Examples:
            echo $r.total of $r.open
            echo "$a.name: $?" >> answers.txt
        """),
    Topic(
      name: "clear", summary: "empty the screen",
      text: """
        clear
          As Ctrl-L, which keeps what is typed.
          Examples:
            clear
        """),
  ]
}
