internal import ArgumentParser
internal import GridCore
internal import GridSystem

/// `gridctl completion`
struct CompletionCommand: GridCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print the completion script for a shell.",
    discussion: """
      Names of actors, nodes and contexts are completed as they are now. make install puts the scripts in place;
      without it:
        bash   source <(gridctl completion bash)
        zsh    gridctl completion zsh >~/.zfunc/_gridctl, with ~/.zfunc in fpath before compinit
        fish   gridctl completion fish >~/.config/fish/completions/gridctl.fish

      Examples:
        source <(gridctl completion bash)
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"))
  var shell: String

  func run() async throws {
    guard let shell = ShellAnswer.Shell(rawValue: shell) else {
      throw GridError(.usage, "there is no completion for \(NameRules.quoted(shell))", hint: "bash, zsh or fish")
    }
    try OutputWriter.shared.output(CompletionScripts.text(shell))
  }
}

/// `gridctl __complete`: what the scripts call.
///
/// `bash LINE WORDBREAKS` with the line up to the cursor; `zsh WORD...` and `fish WORD...` with the words up to the
/// cursor, the program first and the one at the cursor last. It always ends with 0 and says nothing on standard error:
/// somebody is typing there.
struct CompleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "__complete", abstract: "Answer a shell that completes.", shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough, help: .hidden)
  var arguments: [String] = []

  func run() async throws {
    let lines = await Self.lines(arguments, environment: ProcessEnvironment.variables)
    try OutputWriter.shared.output(lines.map { $0 + "\n" }.joined())
  }

  static func lines(_ arguments: [String], environment: [String: String]) async -> [String] {
    guard let shell = arguments.first.flatMap(ShellAnswer.Shell.init(rawValue:)) else { return [] }
    var words: [String]
    var partial = ""
    var openQuote: Character?
    if shell == .bash {
      let divided = ShellWords(arguments.count > 1 ? arguments[1] : "")
      (words, partial, openQuote) = (divided.words, divided.partial, divided.openQuote)
    } else {
      words = Array(arguments.dropFirst())
      partial = words.popLast() ?? ""
    }
    guard !words.isEmpty else { return [] }
    words.removeFirst()
    let candidates = await candidates(words, partial, environment)
    return ShellAnswer.lines(
      candidates, for: shell, partial: partial, wordBreaks: arguments.count > 2 ? arguments[2] : "",
      openQuote: openQuote)
  }

  private static func candidates(
    _ words: [String], _ partial: String, _ environment: [String: String]
  ) async -> [CompletionCandidate] {
    let plan = CompletionEngine(tree: .gridctl).plan(words: words, partial: partial)
    var found: [CompletionNoun: [CompletionName]] = [:]
    if !plan.nouns.isEmpty, let settings = LineSettings.settings(words, environment: environment) {
      let source = NameSource(
        settings: settings, contexts: ContextStore(environment: environment),
        cache: NameCache(environment: environment, settings: settings, clock: SystemClock()))
      found = await source.names(of: plan.nouns, prefix: plan.partialValue)
    }
    var candidates = plan.candidates { found[$0] ?? [] }
    if plan.wantsFiles {
      candidates += FileCandidates.matching(plan.partialValue)
        .map { CompletionCandidate(plan.lead + $0.text, isComplete: $0.isComplete) }
    }
    return candidates
  }
}

/// The global options on an unfinished line, which the parser would refuse.
enum LineSettings {
  /// Those that say which cluster, and how to get in.
  private static let telling: Set = [
    "-C", "--context", "-e", "--endpoint", "--namespace", "--secret-file", "--token-file", "--tls-ca",
    "--tls-cert", "--tls-key",
  ]

  /// The settings the line would run with; nil when they are wrong.
  static func settings(_ words: [String], environment: [String: String]) -> Settings? {
    var options: [String] = []
    var index = 0
    while index < words.count, words[index] != "--" {
      let word = words[index]
      index += 1
      let name = word.prefix { $0 != "=" }
      guard Self.telling.contains(String(name)) else { continue }
      options.append(word)
      if name == word, index < words.count {
        options.append(words[index])
        index += 1
      }
    }
    guard let global = try? GlobalOptions.parse(options) else { return nil }
    return try? Settings(global, environment: environment)
  }
}
