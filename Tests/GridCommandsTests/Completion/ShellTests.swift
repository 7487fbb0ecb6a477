import Foundation
import TestSupport
import Testing

@testable internal import GridCommands

/// The scripts in real shells on a real terminal: files with names that a shell would act on are completed, the line is
/// run, and what the program was given is compared.
@Suite struct ShellTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// By the prefix that is typed.
  private static let hostile: [(typed: String, name: String)] = [
    ("h1", "h1$(touch PWNED)"), ("h2", "h2`touch PWNED`"), ("h3", "h3 a;touch PWNED"), ("h4", "h4'q"), ("h5", "h5\"q"),
    ("h6", "h6:x=y"), ("h7", "h7ü"), ("h9", "h9!h"), ("i1", "i1${HOME}"), ("i2", "i2*?[a]"), ("i3", "i3>PWNED&"),
    ("i4", "i4\\x"), ("i5", "i5~{a,b}#"),
  ]

  private static let lines: [(typed: String, given: [String])] =
    hostile.map { ("tell hits @\($0.typed)\t", ["tell", "hits", "@" + $0.name]) } + [
      ("--output=j\t", ["--output=json"]), ("dead-letters re\tx", ["dead-letters", "replay", "x"]),
      ("peers --color=al\t", ["peers", "--color=always"]), ("ask or\t", ["ask", "orders-7"]),
      ("context use pr\t", ["context", "use", "prod"]), ("node stop n\t", ["node", "stop", "n1"]),
    ]

  @Test(arguments: ShellAnswer.Shell.allCases)
  func `the script in Completions is the one that is printed`(_ shell: ShellAnswer.Shell) throws {
    let file = ["bash": "gridctl.bash", "zsh": "_gridctl", "fish": "gridctl.fish"][shell.rawValue] ?? ""
    let url = Self.root.appendingPathComponent("Completions/\(file)")
    #expect(String(decoding: try Data(contentsOf: url), as: UTF8.self) == CompletionScripts.text(shell))
  }

  @Test(arguments: ShellAnswer.Shell.allCases)
  func `a shell completes and evaluates nothing`(_ shell: ShellAnswer.Shell) async throws {
    try await withSandbox { sandbox in
      try Self.prepare(sandbox, shell)
      let ready = try await sandbox.run(
        "gridctl node start --detach --name n1 --listen 127.0.0.1:0 && gridctl spawn echo orders-7"
          + " && gridctl context add prod -e 127.0.0.1:1")
      #expect(ready.status == 0, "\(ready.errors)")
      let terminal = try Terminal(sandbox, Self.command(shell))
      defer { terminal.close() }
      try await terminal.waitForPrompt()
      for (index, line) in Self.lines.enumerated() {
        // An unanswered look at the cluster on a busy machine gives no candidate: that line is typed again.
        for attempt in 1...5 {
          try terminal.type("gridctl " + line.typed + "\n")
          let given = try await terminal.nextArguments()
          if given == line.given || attempt == 5 {
            #expect(given == line.given, "\(shell), line \(index)")
            break
          }
        }
      }
      #expect(!FileManager.default.fileExists(atPath: sandbox.directory + "/PWNED"))
    }
  }

  /// How people write the program when it is not in their PATH. Those that are no program are typed and taken back.
  private static func programs(_ shell: ShellAnswer.Shell) -> [(word: String, runs: Bool)] {
    let common = [
      ("~/bin/gridctl", true), ("$HOME/bin/gridctl", true), ("\"$HOME\"/bin/gridctl", true), ("./bin/gridctl", true),
      ("$PLACE/gridctl", true), ("\"$WIDE\"/gridctl", true), ("$EVIL/gridctl", false),
      ("$(touch PWNED)/bin/gridctl", false),
      ("$NONE/gridctl", false),
      ("~nobody-of-that-name/gridctl", false),
    ]
    // fish and zsh complete what an alias stands for by themselves.
    if shell == .bash { return common + [("${HOME}/bin/gridctl", true), ("\"${WIDE}\"/gridctl", true), ("k", true)] }
    return shell == .fish ? common : common + [("${HOME}/bin/gridctl", true), ("\"${WIDE}\"/gridctl", true)]
  }

  @Test(arguments: ShellAnswer.Shell.allCases)
  func `a program with a home or a variable in its word completes, and nothing of it is run`(
    _ shell: ShellAnswer.Shell
  ) async throws {
    try await withSandbox { sandbox in
      try Self.prepare(sandbox, shell)
      let place = "\(sandbox.directory)/place"
      try await sandbox.output(
        """
        mkdir bin '\(place)' '\(place) of mine'
        cat >bin/gridctl <<'END'
        #!/bin/bash
        if [ "$1" = __complete ]; then exec \(TestedPrograms.gridctl) "$@"; fi
        printf '[%s]' "$@" >>"$HOME/given"; echo >>"$HOME/given"
        END
        chmod +x bin/gridctl; cp bin/gridctl '\(place)/gridctl'; cp bin/gridctl '\(place) of mine/gridctl'
        start --name n1 >/dev/null && gridctl spawn echo orders-7
        """)
      let variables = [
        "PLACE": place, "WIDE": place + " of mine", "EVIL": "$(touch PWNED)`touch PWNED`", "x": "$(touch PWNED)",
      ]
      let terminal = try Terminal(sandbox, Self.command(shell), variables: variables)
      defer { terminal.close() }
      try await terminal.waitForPrompt()
      for program in Self.programs(shell) {
        guard program.runs else {
          try terminal.type("\(program.word) ask or\t\u{15}")
          continue
        }
        for attempt in 1...5 {
          try terminal.type("\(program.word) ask or\t\n")
          let given = try await terminal.nextArguments()
          if given == ["ask", "orders-7"] || attempt == 5 {
            #expect(given == ["ask", "orders-7"], "\(shell), \(program.word)")
            break
          }
        }
      }
      #expect(!FileManager.default.fileExists(atPath: sandbox.directory + "/PWNED"))
    }
  }

  private static func prepare(_ sandbox: Sandbox, _ shell: ShellAnswer.Shell) throws {
    for (_, name) in hostile + [("", "h8\nx")] {
      #expect(FileManager.default.createFile(atPath: "\(sandbox.directory)/\(name)", contents: nil))
    }
    let script = root.appendingPathComponent("Completions").path
    // The function takes the program's place on the line; completion calls the program itself.
    let record = #"printf '[%s]' "$@" >>given; printf '\n' >>given"#
    let texts: [ShellAnswer.Shell: (String, String)] = [
      .bash: (
        ".bashrc",
        "set -u\nPS1='ready> '\nalias k=gridctl\ncomplete -o nosort -F _gridctl k\n"
          + "source \(script)/gridctl.bash\ngridctl() { \(record); }\n"
      ),
      .zsh: (
        ".zshrc",
        "PS1='ready> '\nfpath=(\(script) $fpath)\nautoload -Uz compinit && compinit -u -D\ngridctl() { \(record) }\n"
      ),
      .fish: (
        ".config/fish/config.fish",
        "function fish_prompt; printf 'ready> '; end\nsource \(script)/gridctl.fish\n"
          + "function gridctl; printf '[%s]' $argv >>given; printf '\\n' >>given; end\n"
      ),
    ]
    let (file, text) = texts[shell] ?? ("", "")
    let url = URL(fileURLWithPath: "\(sandbox.directory)/\(file)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private static func command(_ shell: ShellAnswer.Shell) -> String {
    switch shell {
    case .bash: "bash --noprofile -i"
    case .zsh: "zsh -i"
    case .fish: "fish -i"
    }
  }
}

/// A shell on a terminal of its own, by util-linux's script.
private final class Terminal {
  private let process = Process()
  private let input = Pipe()
  private let screen: String
  private let given: String
  private var seen = 0

  init(_ sandbox: Sandbox, _ command: String, variables: [String: String] = [:]) throws {
    screen = sandbox.directory + "/screen"
    given = sandbox.directory + "/given"
    _ = FileManager.default.createFile(atPath: screen, contents: nil)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    process.arguments = ["-qec", command, "/dev/null"]
    var environment = sandbox.environment.merging(variables) { $1 }
    environment["TERM"] = "xterm"
    environment["LC_ALL"] = "C.UTF-8"
    environment["ZDOTDIR"] = nil
    environment["INPUTRC"] = "/dev/null"
    process.environment = environment
    process.currentDirectoryURL = URL(fileURLWithPath: sandbox.directory)
    process.standardInput = input
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: screen))
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  func close() {
    try? input.fileHandleForWriting.close()
    // An interactive shell ignores SIGTERM; the sandbox ends what is left of it.
    kill(process.processIdentifier, SIGKILL)
  }

  func type(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

  func waitForPrompt() async throws {
    _ = try await eventually { self.text(self.screen).contains("ready> ") ? "" : nil }
  }

  /// The arguments of the next command that was run.
  func nextArguments() async throws -> [String] {
    let line = try await eventually {
      let lines = self.text(self.given).components(separatedBy: "\n").dropLast()
      return lines.count > self.seen ? lines[self.seen] : nil
    }
    seen += 1
    return line.dropFirst().dropLast().components(separatedBy: "][")
  }

  private func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func eventually(_ look: () -> String?) async throws -> String {
    let limit = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < limit {
      if let found = look() { return found }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("nothing came within 20 s; the screen is:\n\(text(screen))")
    throw CancellationError()
  }
}
