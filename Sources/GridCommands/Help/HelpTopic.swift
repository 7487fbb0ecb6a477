internal import GridCore

/// What `gridctl help TOPIC` explains beside the commands.
enum HelpTopic: String, CaseIterable, Sendable {
  case exitCodes = "exit-codes"
  case options, environment, output, payloads, names, contexts, questions, roles, tls

  var abstract: String {
    switch self {
    case .exitCodes: "what each exit code means"
    case .options: "what every command takes"
    case .environment: "the variables gridctl reads"
    case .output: "output formats, paths and filters"
    case .payloads: "how bodies of messages are given"
    case .names: "what names look like"
    case .contexts: "clusters under names, and which setting wins"
    case .roles: "who may ask what of a cluster"
    case .questions: "what asks before it does something, and what answers"
    case .tls: "encrypted clusters: three machines in four commands"
    }
  }

  /// The text for a terminal, paragraphs filling its width, with a line feed at its end.
  func text(width: Int?) -> String {
    let page = HelpPage(tree: .gridctl, width: width)
    // The first line is the title.
    let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let rest = HelpBlocks(lines.count > 1 ? lines[1] : "").lines(width: page.width)
    let options = self == .options ? [""] + page.options(page.tree.root.arguments.filter { !$0.isHidden }) : []
    return ([lines[0], ""] + rest + options).joined(separator: "\n") + "\n"
  }

  /// The text as it is written, with a line feed at its end.
  var text: String {
    switch self {
    case .options: "OPTIONS\n\nThey may stand before and after the command; the manual of each tells of its own.\n"
    case .exitCodes: Self.exitCodesText
    case .environment: Self.environmentText
    case .output: Self.outputText
    case .payloads: Self.payloadsText
    case .names: Self.namesText
    case .contexts: Self.contextsText
    case .questions: Self.questionsText
    case .roles: RolesText.text
    case .tls: Self.tlsText
    }
  }

  private static var exitCodesText: String {
    let rows = ExitStatus.allCases.map { "  \(column(String($0.rawValue), 5))\(column($0.label, 13))\($0.meaning)\n" }
    return "EXIT CODES\n\n" + rows.joined()
      + "\nThe table for programs: gridctl exit-codes -o json\n"
  }

  private static var environmentText: String {
    let rows = EnvironmentVariable.all.map { "  \(column($0.name, 28))\($0.meaning)\n" }
    return "ENVIRONMENT\n\n" + rows.joined()
      + "\nAn option goes before a variable, a variable before the context, the context before config.toml.\n"
      + "gridctl context show --effective tells where each value comes from.\n"
      + "Files with a secret or a token must be readable by nobody else: chmod 600 FILE.\n"
  }

  /// The text with spaces behind it up to a width, at least one.
  private static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static var outputText: String {
    let formats = OutputFormat.named.map { "  \(column($0.name, 16))\($0.help)\n" }.joined()
    return """
      OUTPUT

      Results go to standard output, everything else to standard error.

      \(formats)  jsonpath=EXPR   parts of the document of json
        columns=SPEC    a table of your own

      jsonpath has kubectl's form: a text with paths in braces.
        gridctl actors -o jsonpath='{.items[*].name}'
        gridctl actors -o jsonpath='{range .items[*]}{.name}{"\\t"}{.node}{"\\n"}{end}'
        gridctl peers -o jsonpath='{.items[?(@.status=="alive")].name}'
      A path has .name, ['a.b'], [0], [-1], [1:3], [0,2], .*, ..name and [?(condition)].

      columns names a header and a path for each column, from the row on.
        gridctl actors -o columns=NAME:.name,WAITING:.mailbox
        gridctl peers -o columns=name,labels.zone

      A condition, here and in events --filter, compares with == != < <= > >= and =~ (a pattern with * and ?), and
      combines with && || ! and parentheses.
        gridctl events --filter 'kind=="actor" && name=~"orders-*"'

      A stream is written a record at a time; json is jsonl there. With json and jsonl an error is one line on
      standard error: {"error":{"code":67,"name":"no-such-actor","message":…,"hint":…,…}}.
      Tables have colour and are cut to the width on a terminal only; see --color, NO_COLOR and CLICOLOR_FORCE.

      """
  }

  private static let payloadsText = """
    PAYLOADS

    The body of tell, ask and spawn --arg is
      TEXT     the text itself
      -        standard input to its end; it is read for a literal - alone
      @FILE    the content of a file, a pipe such as @<(COMMAND), or a device; -t bounds how long a pipe may take

    A body that begins with a dash needs -- before it: gridctl tell calc -- -1
    With --lines every line of standard input is a message of its own, and no payload is given. Lines that were not
    taken, or got no reply, are named on standard error, with -o jsonl in records: {"line":3,"error":{…}}.
    When standard input is a terminal, tell and ask say that they wait for what is typed there.
    With --template, in each body
      {{n}}      is the number of the message, from 1
      {{uuid}}   is a fresh random identifier
      {{now}}    is the time, as 2026-01-02T03:04:05.678Z
    and every other text stays as it is.

    UTF-8 is sent as text, everything else as bytes; a message carries at most \(Message.maximumBodyBytes) bytes.

    """

  private static let namesText = """
    NAMES

    Names of actors, nodes, kinds, namespaces, contexts and leaders begin with a letter or digit and have letters,
    digits, - and _, at most \(NameRules.maximumLength) bytes. An actor's name is unique in its namespace.

    -o name prints actor/NAME, peer/NAME, dead-letter/ID and so on; commands take them back:
      gridctl actors 'orders-*' -o name | xargs gridctl stop

    Patterns: * stands for any characters, ? for one.
    Durations: 250ms, 5s, 2m, 1h30m. Sizes: 100, 64KiB, 1MB. Rates: 100/s, 20k/s, 5/m.

    """

  private static let contextsText = """
    CONTEXTS

    A context is a cluster and how to reach it, under a name, in a file of its own:
      gridctl context add prod -e 10.0.0.1:4743 -e 10.0.0.2:4743 --namespace shop --protected
      gridctl -C prod peers
      gridctl context use prod     from now on; gridctl context use - goes back
      GRIDCTL_CONTEXT=prod         in one terminal

    In a protected context a destructive command wants the context's name: typed on a terminal, or --confirm NAME; see
    gridctl help questions.
    For HOST:PORT the secret of the cluster is proved: secret-file names it, else it is the one of this machine's nodes.
    [tls] names the files of an encrypted cluster: ca, cert and key; see gridctl help tls.
    Whoever has not got the secret has a token, which is proved instead. A context says where it is, never what it is:
      token = "file:/PATH"         a file that nobody else reads
      token = "env:NAME"           a variable
      token = "cmd:pass grid"      what a command prints
    Of several ways to get in the first of these is taken: --token-file, a certificate, --secret-file, the token of
    GRIDCTL_TOKEN_FILE or of the context, the secret where it lies.

    What wins: option, environment variable, context, config.toml, default.
      gridctl context show --effective

    """

  private static let questionsText = """
    QUESTIONS

    Before it does what cannot be undone, a command asks the person at the terminal:
      node stop, context rm       always
      stop, restart               when a pattern chooses several actors
      dead-letters purge          when nothing on the line chooses the letters
    The answer is yes, the whole word; everything else is no, and the command ends with 77. Only what is typed after the
    question is an answer: what was typed or pasted before it is dropped, and a line of commands is no answer.

      --yes (-y)     answers yes
      --no-input     asks nothing and does it, as in a script: only a terminal is ever asked

    In a protected context every command that stops or removes something (stop, restart, node stop, leader resign,
    dead-letters purge, context rm) asks for the context's name instead, and does nothing without it:
      --confirm NAME      gives it; --yes does not

    So a list of commands that is pasted into a terminal says --yes where it would be asked:
      gridctl dead-letters purge --yes
      gridctl node stop n1 --yes

    """

  private static let tlsText = """
    TLS

    A node listens for others on its own machine, unless connections are encrypted. Who is at their ends is said by
    certificates: of a node, an operator, who may do everything, or a viewer, who may look. On one machine, once:
      gridctl tls init-ca ca
      gridctl tls issue --ca ca --name n1 --out n1
    and so for n2, n3 and for people: --name anna --role viewer. Bring the directory n1 to its machine, and start there:
      gridctl node start --store etcd://10.0.0.9:2379 --listen 10.0.0.1:4743 \\
        --tls-ca n1/ca.pem --tls-cert n1/n1.pem --tls-key n1/n1.key
    A client takes the same three options, the variables GRIDCTL_TLS_CA, GRIDCTL_TLS_CERT and GRIDCTL_TLS_KEY, or
    [tls] of a context. On a node's own machine its user needs none of them.

    The key of the authority, ca/ca.key, stays where it was made. Keys have the mode 0600, else they are not used.
    A certificate is replaced while the node runs: gridctl tls issue --ca ca --name n1 --out n1 --force
    gridctl check warns 14 days before one of a node ends. Other machines' clocks must be right.

      gridctl tls show FILE|HOST:PORT     what is in it, or is shown there
      gridctl tls verify [NODE]           whether it works, and what to do when it does not

    """
}
