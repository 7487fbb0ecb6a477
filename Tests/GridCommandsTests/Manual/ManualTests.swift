import Foundation
import Testing

@testable internal import GridCommands

/// The pages in Man/ say what the program does, and the program does what they say.
@Suite struct ManualTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let folder = root.appendingPathComponent("Man")

  private static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: root.appendingPathComponent(path)), as: UTF8.self)
  }

  private static var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  private static let again =
    "make the pages again with: gridctl __manual Man --link-document Sources/GridLink/Wire/LINK.md"

  @Test func `the pages are those that the program writes`() async throws {
    // The program itself is asked: it has commands that this room does not know.
    let pages = try await withSandbox { sandbox in
      let document = Self.root.appendingPathComponent("Sources/GridLink/Wire/LINK.md").path
      let result = try await sandbox.run("mkdir pages && gridctl __manual pages --link-document '\(document)'")
      #expect(result.status == 0, "\(result.errors)")
      let folder = sandbox.directory + "/pages"
      return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [String: String]()) {
        $0[$1] = try String(contentsOfFile: "\(folder)/\($1)", encoding: .utf8)
      }
    }
    for (name, text) in pages { #expect(try Self.text("Man/\(name)") == text, "\(name): \(Self.again)") }
    let written = Set(["gridctl-config.5", "gridctl-kinds.5"] + ManualPages.handWritten.keys.map { "gridctl-\($0).1" })
    #expect(Set(Self.names) == Set(pages.keys).union(written), "\(Self.again)")
  }

  @Test func `every option and variable is in the manual`() throws {
    let main = Self.plain(try Self.text("Man/gridctl.1"))
    for variable in EnvironmentVariable.all { #expect(main.contains("It Ev \(variable.name)\n"), "\(variable.name)") }
    for option in CommandTree.gridctl.root.arguments where !option.isHidden {
      #expect(main.contains("Fl \(option.preferredName.dropFirst())"), "\(option.preferredName)")
    }
    for command in CommandTree.gridctl.root.commands where !command.isHidden {
      let page = Self.plain(try Self.text("Man/gridctl-\(command.name).1"))
      for owner in [command] + command.commands {
        for option in owner.arguments where !option.isHidden && option.kind != .positional {
          let mark = "Fl \(option.preferredName.dropFirst())"
          #expect(page.contains(mark) || main.contains(mark), "\(owner.name) \(option.preferredName)")
        }
      }
    }
  }

  @Test func `what the manual says of options exists`() throws {
    var known: Set<String> = []
    func look(_ command: CommandTree.Command) {
      for argument in command.arguments { known.formUnion(argument.names) }
      for command in command.commands { look(command) }
    }
    look(CommandTree.gridctl.root)
    for name in Self.names where name != "gridctl-repl.1" {
      for line in Self.plain(try Self.text("Man/\(name)")).split(separator: "\n") where line.hasPrefix(".It Fl") {
        for word in line.split(separator: " ") where word.hasPrefix("-") {
          #expect(known.contains("-" + word), "\(name): -\(word)")
        }
      }
    }
  }

  @Test func `every variable that the sources read is known`() throws {
    let known = Set(EnvironmentVariable.all.map(\.name))
    let files = FileManager.default.enumerator(atPath: Self.root.appendingPathComponent("Sources").path)
    var read: Set<String> = []
    while let file = files?.nextObject() as? String {
      guard file.hasSuffix(".swift"), !file.hasPrefix("GridCommands/Help/") else { continue }
      for match in try Self.text("Sources/\(file)").matches(of: /(?:environment|variables)\["([A-Z_]+)"\]/) {
        read.insert(String(match.1))
      }
      for match in try Self.text("Sources/\(file)").matches(of: /"(GRIDCTL_[A-Z_]+)"/) {
        read.insert(String(match.1))
      }
    }
    // What programs that we start are given is no input of ours.
    let given: Set<String> = [
      "GRIDCTL_LEADER", "GRIDCTL_FENCING_TOKEN", "GRIDCTL_ACTOR", "GRIDCTL_NODE", "GRIDCTL_ENDPOINT",
      "GRIDCTL_EDITED",
      // What they are never given: names, and beginnings of names.
      "GRIDCTL_TOKEN", "GRIDCTL_TLS_", "GRIDCTL_ETCD_",
    ]
    // The beginning of many names is none.
    #expect(read.subtracting(known).subtracting(given).filter { !$0.hasSuffix("_") } == [])
    #expect(read.contains("GRIDCTL_TIMEOUT") && read.contains("PAGER"))
  }

  @Test func `every option of the session is in gridctl-repl, and no other`() async throws {
    let help = try await withSandbox { try await $0.run("gridctl repl --help") }.output
    // What the examples show are options of other commands.
    let listed = String(help.split(separator: "Options:").last?.split(separator: "\nExamples:").first ?? "")
    let options = Set(listed.matches(of: /--[a-z-]+/).map { String($0.0.dropFirst()) })
    #expect(options.contains("-on-error"))
    let page = Self.plain(try Self.text("Man/gridctl-repl.1"))
    let main = Self.plain(try Self.text("Man/gridctl.1"))
    for option in options { #expect(page.contains("Fl \(option)") || main.contains("Fl \(option)"), "-\(option)") }
    for line in page.split(separator: "\n") where line.hasPrefix(".It Fl") {
      for word in line.split(separator: " ") where word.hasPrefix("-") {
        #expect(options.contains(String(word)), "-\(word)")
      }
    }
  }

  @Test func `every exit code is in gridctl-exit`() throws {
    let page = try Self.text("Man/gridctl-exit.7")
    for status in ExitStatus.allCases { #expect(page.contains(".It \(status.rawValue) Pq")) }
    #expect(page.components(separatedBy: ".It ").count - 1 == ExitStatus.allCases.count)
  }

  @Test func `every key of a context's file is in gridctl-config`() throws {
    let page = try Self.text("Man/gridctl-config.5")
    let table = """
      endpoints = ["a:1"]
      namespace = "n"
      description = "d"
      protected = true
      color = "red"
      timeout = "1s"
      secret-file = "/s"
      output = "json"
      token = "env:X"
      [tls]
      ca = "/a"
      cert = "/c"
      key = "/k"
      """
    let context = try ContextDefinition(name: "x", table: ConfigurationTable(path: "x.toml", text: table))
    #expect(context.isProtected && context.token?.place == .environment("X"))
    for key in table.split(separator: "\n").map({ $0.prefix { $0 != " " } }) {
      #expect(page.contains("\(key)"), "\(key)")
    }
  }

  @Test func `every key of a file of kinds is in gridctl-kinds, and its example is one`() throws {
    let page = Self.plain(try Self.text("Man/gridctl-kinds.5"))
    for key in KindsFile.keys { #expect(page.contains(".It Cm \(key)\n"), "\(key)") }
    let example = try #require(page.split(separator: ".Bd -literal -offset indent\n").dropFirst().first)
    let text = String(example.prefix(upTo: try #require(example.range(of: ".Ed")).lowerBound))
    let file = try KindsFile(path: "example", text: text)
    #expect(file.programs.keys.sorted() == ["audit", "reconcile", "resize"])
    #expect(file.singletons == ["reconcile"])
    for key in KindsFile.keys { #expect(text.contains("\(key):"), "\(key)") }
  }

  @Test func `the formatters have nothing to complain of`() async throws {
    try await withSandbox { sandbox in
      let lint = try await sandbox.run("cd '\(Self.root.path)/Man' && mandoc -T lint -W warning *")
      #expect(lint.output == "" && lint.status == 0, "\(lint.output)\(lint.errors)")
      let line = "cd '\(Self.root.path)/Man' && for page in *; do man --warnings -l \"$page\" 2>&1 >/dev/null; done"
      let man = try await sandbox.run("export LC_ALL=C.UTF-8; \(line)")
      #expect(man.output == "", "\(man.output)")
    }
  }

  private static func plain(_ page: String) -> String { page.replacingOccurrences(of: "\\-", with: "-") }
}
