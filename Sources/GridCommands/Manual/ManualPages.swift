internal import GridCore

/// The pages of the manual that follow from the program itself: gridctl(1), one for each command, gridctl-exit(7).
struct ManualPages {
  let tree: CommandTree

  /// Commands of the rooms above, whose pages are written by hand, with what the list of commands says of them. They
  /// are the same whether those rooms are linked in or not.
  static let handWritten = ["repl": "Open an interactive session on a live cluster, or run a script of its language."]

  /// The pages by the names of their files.
  var all: [String: String] {
    var pages = ["gridctl.1": mainPage, "gridctl-exit.7": exitPage, "gridctl-roles.7": RolesPage.text]
    for command in tree.root.commands where !command.isHidden && Self.handWritten[command.name] == nil {
      pages["gridctl-\(command.name).1"] = page(command)
    }
    return pages
  }

  // MARK: One command

  private func page(_ command: CommandTree.Command) -> String {
    var page = ManualText(
      title: "gridctl-\(command.name)", section: 1, name: "gridctl-\(command.name)", abstract: command.abstract)
    page.section("SYNOPSIS")
    let leaves = command.commands.filter { !$0.isHidden }
    if leaves.isEmpty {
      synopsis([command.name], command, &page)
    } else {
      for leaf in leaves { synopsis([command.name, leaf.name], leaf, &page) }
    }
    page.section("DESCRIPTION")
    page.flow(command.abstract)
    let examples = describe(command, &page)
    page.paragraph("The options of all commands are described in")
    page.line(".Xr gridctl 1 .")
    var allExamples = examples
    for leaf in leaves {
      page.subsection("gridctl \(command.name) \(leaf.name)")
      page.flow(leaf.abstract + (leaf.name == command.defaultCommand ? " This is what no subcommand means." : ""))
      allExamples += describe(leaf, &page)
      arguments(of: leaf, at: [command.name, leaf.name], &page)
    }
    if leaves.isEmpty { arguments(of: command, at: [command.name], &page) }
    page.section("EXIT STATUS")
    page.line("See")
    page.line(".Xr gridctl-exit 7 .")
    if !allExamples.isEmpty {
      page.section("EXAMPLES")
      page.literal(allExamples)
    }
    seeAlso(["gridctl 1", "gridctl-exit 7"], &page)
    return page.text
  }

  private func synopsis(_ path: [String], _ command: CommandTree.Command, _ page: inout ManualText) {
    page.line(".Nm gridctl \(path.map(ManualText.argument).joined(separator: " "))")
    if tree.ownArguments(of: command, at: path).contains(where: { $0.kind != .positional }) {
      page.line(".Op Ar options")
    }
    for argument in command.arguments where argument.kind == .positional && !argument.isHidden {
      let dots = argument.isRepeating ? " ..." : ""
      let lead = argument.isAfterTerminator ? "Fl - " : ""
      let value = "Ar \(ManualText.argument(argument.valueName))\(dots)"
      page.line(argument.isOptional || argument.isAfterTerminator ? ".Op \(lead)\(value)" : ".\(lead)\(value)")
    }
  }

  /// Writes the discussion; its examples come back.
  private func describe(_ command: CommandTree.Command, _ page: inout ManualText) -> [String] {
    let blocks = HelpBlocks(command.discussion)
    page.blocks(blocks)
    return blocks.examples
  }

  private func arguments(of command: CommandTree.Command, at path: [String], _ page: inout ManualText) {
    let own = tree.ownArguments(of: command, at: path)
    guard !own.isEmpty else { return }
    list(own, &page)
  }

  private func list(_ arguments: [CommandTree.Argument], _ page: inout ManualText) {
    page.beginTags()
    for argument in arguments {
      let value = "Ar \(ManualText.argument(argument.valueName))"
      if argument.kind == .positional {
        page.line(".It \(value)")
      } else {
        let names = argument.names.sorted { ($0.count, $0) < ($1.count, $1) }.map { "Fl \(Self.flag($0))" }
        page.line(".It " + names.joined(separator: " , ") + (argument.kind == .option ? " \(value)" : ""))
      }
      page.flow(argument.explanation)
    }
    page.endList()
  }

  /// The name without its first dash, which the macro writes.
  private static func flag(_ name: String) -> String { ManualText.escaped(String(name.dropFirst())) }

  private func seeAlso(_ pages: [String], _ page: inout ManualText) {
    page.section("SEE ALSO")
    for (index, name) in pages.enumerated() { page.line(".Xr \(name)\(index < pages.count - 1 ? " ," : "")") }
  }

  // MARK: gridctl(1)

  private var mainPage: String {
    var page = ManualText(title: "gridctl", section: 1, name: "gridctl", abstract: tree.root.abstract)
    page.section("SYNOPSIS")
    page.line(".Nm")
    page.line(".Op Ar options")
    page.line(".Ar command")
    page.line(".Op Ar arguments")
    page.section("DESCRIPTION")
    page.line(".Nm")
    page.flow(
      """
      runs nodes that host actors, talks to actors from a shell, and looks into clusters of them. \
      An actor has a name that is unique in its namespace, a mailbox, and a handler that takes one message at a time. \
      What is not handled becomes a dead letter and is never lost in silence.
      """)
    page.paragraph(
      """
      A command finds a node by --endpoint, by GRIDCTL_ENDPOINTS, by the context, or by the sockets of the nodes on \
      this machine, in this order. Results go to standard output, everything else to standard error.
      """)
    page.subsection("Commands")
    page.beginTags(width: "completion")
    let known = tree.root.commands.filter { !$0.isHidden && Self.handWritten[$0.name] == nil }
    let listed = known.map { ($0.name, $0.abstract) } + Self.handWritten.sorted { $0.key < $1.key }.map { ($0, $1) }
    for (name, abstract) in listed {
      page.line(".It Xr gridctl-\(name) 1")
      page.flow(abstract)
    }
    page.endList()
    page.subsection("Options of all commands")
    page.flow("They may stand before and after the command.")
    list(tree.root.arguments.filter { !$0.isHidden }, &page)
    for topic in [HelpTopic.output, .payloads, .names, .contexts, .questions] { self.topic(topic, &page) }
    page.section("ENVIRONMENT")
    page.beginTags()
    for variable in EnvironmentVariable.all {
      page.line(".It Ev \(variable.name)")
      page.flow(variable.meaning.prefix(1).uppercased() + variable.meaning.dropFirst() + ".")
    }
    page.endList()
    files(&page)
    page.section("EXIT STATUS")
    page.line("See")
    page.line(".Xr gridctl-exit 7 .")
    page.section("EXAMPLES")
    page.literal([
      "gridctl node start --detach", "gridctl spawn exec calc -- bc -l", "gridctl ask calc '2^10'",
      "seq 1 1000 | gridctl tell calc --lines", "gridctl dead-letters tail",
    ])
    seeAlso(["gridctl-repl 1", "gridctl-config 5", "gridctl-kinds 5", "gridctl-link 5", "gridctl-exit 7"], &page)
    return page.text
  }

  private func topic(_ topic: HelpTopic, _ page: inout ManualText) {
    page.subsection(topic.abstract.prefix(1).uppercased() + topic.abstract.dropFirst())
    let text = topic.text
    // The first line is the title, which the page has already.
    page.blocks(HelpBlocks(String(text[(text.firstIndex(of: "\n") ?? text.endIndex)...])))
  }

  private func files(_ page: inout ManualText) {
    page.section("FILES")
    page.beginTags()
    for (path, meaning) in [
      ("~/.config/gridctl/config.toml", "Settings of all contexts."),
      ("~/.config/gridctl/contexts/NAME.toml", "The context NAME."),
      ("~/.local/state/gridctl/current", "The name of the context in force."),
      ("~/.local/state/gridctl/NAMESPACE/", "Names and leases, dead letters, logs of detached nodes."),
      ("~/.cache/gridctl/", "Names for completion, a minute long."),
      ("$XDG_RUNTIME_DIR/gridctl/NAMESPACE/NODE.sock", "The socket of a node on this machine."),
      ("/run/gridctl/NAMESPACE/NODE.sock", "The socket of a node that runs as a service."),
      ("/var/lib/gridctl/NAMESPACE/", "The state of a node that runs as a service."),
      ("/etc/default/gridctl", "GRIDCTL_NODE_OPTIONS and other variables of gridctl.service."),
    ] {
      page.line(".It Pa \(ManualText.argument(path))")
      page.flow(meaning)
    }
    page.endList()
  }

  // MARK: gridctl-exit(7)

  private var exitPage: String {
    var page = ManualText(
      title: "gridctl-exit", section: 7, name: "gridctl-exit", abstract: "exit codes of gridctl")
    page.section("DESCRIPTION")
    page.flow(
      """
      Every failure has an exit code of its own, so that a script can tell what to do next. \
      The names are those of sysexits.h where it has one; 128 and more stand for signals, as in shells.
      """)
    page.beginTags(width: "xxxx")
    for status in ExitStatus.allCases {
      page.line(".It \(status.rawValue) Pq \(ManualText.argument(status.label))")
      page.flow(status.meaning.prefix(1).uppercased() + status.meaning.dropFirst() + ".")
    }
    page.endList()
    page.paragraph(
      """
      Commands that run a program (leader run, events --exec) end with the program's code, or 128 and the number of \
      the signal that ended it. check --format nagios ends with 0, 1, 2 or 3 as plug-ins of that kind do.
      """)
    page.section("EXAMPLES")
    page.literal([
      "gridctl ask orders-7 Status || case $? in", "  67) echo 'no such actor' ;;",
      "  75) echo 'busy, again later' ;;", "  124) echo 'no answer in time' ;;", "esac",
    ])
    seeAlso(["gridctl 1", "sysexits 3"], &page)
    return page.text
  }
}
