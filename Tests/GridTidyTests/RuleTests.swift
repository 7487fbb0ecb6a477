internal import Testing

/// Each rule finds what it forbids, and nothing else.
@Suite struct RuleTests {
  private func file(_ text: String, path: String = "Sources/GridCore/Example.swift") -> SwiftText {
    SwiftText(path: path, text: text)
  }

  // MARK: Reading Swift

  @Test func `comments and text are told apart from code`() {
    let text = file(##"let a = "x // y \(call("z")) w" // why"##)
    #expect(text.code == [##"let a = "         call(" ")   "       "##])
    #expect(text.comments == [String(repeating: " ", count: 32) + "// why"])
  }

  @Test(arguments: [
    "let a = #\"print( \"quoted\" \\(no)\"#",
    "let a = \"\"\"\n  print(1) \"\" \n  \"\"\"",
    "/* print(1) /* nested */ print(2) */",
    "let a = \"\\\" print(\"",
    "// print(1)",
  ])
  func `nothing inside text or comments is a call`(_ source: String) {
    #expect(file(source).code.allSatisfy { !$0.contains("print") })
  }

  @Test func `code after a literal is code again`() {
    #expect(BannedCalls.findings(in: file("let a = \"\\(b)\"; print(a)")).count == 1)
    #expect(BannedCalls.findings(in: file("let a = \"\"\"\n  text\n  \"\"\"\nprint(a)")).map(\.line) == [4])
    #expect(BannedCalls.findings(in: file("let a = \"\\(try! b())\"")).count == 1)
  }

  // MARK: Imports

  @Test(arguments: [
    ("GridCore", "internal import GridLink"), ("GridCore", "internal import Foundation"),
    ("GridCore", "internal import Synchronization"), ("GridCore", "internal import Glibc"),
    ("GridLink", "internal import GridActors"), ("GridCluster", "package import GridStoreSQLite"),
    ("GridActors", "internal import Foundation"), ("GridLink", "internal import FoundationEssentials"),
    ("GridClient", "internal import Grid"), ("Grid", "internal import GridClient"),
    ("Grid", "internal import GridCommands"), ("GridTestKit", "internal import GridCommands"),
    ("GridLink", "import NIOCore"), ("GridLink", "import struct NIOCore.ByteBuffer"),
    ("GridActors", "@_exported public import GridCore"), ("GridUnheardOf", "internal import GridCore"),
  ])
  func `a wrong import is found`(_ target: String, _ line: String) {
    #expect(ImportRules.findings(in: file(line, path: "Sources/\(target)/Example.swift")).count == 1)
  }

  @Test(arguments: [
    ("GridLink", "package import GridCore"), ("GridLink", "internal import struct NIOCore.ByteBuffer"),
    ("Grid", "@_exported public import GridCore"), ("Grid", "internal import Foundation"),
    ("GridStoreSQLite", "internal import Foundation"), ("GridCommands", "internal import Grid"),
    ("GridTestKit", "public import Grid"), ("gridctl", "internal import GridCommands"),
    ("GridCore", "let word = \"import Foundation\""), ("GridCore", "// import Foundation"),
  ])
  func `a right import is left alone`(_ target: String, _ line: String) {
    let findings = ImportRules.findings(in: file(line, path: "Sources/\(target)/Example.swift"))
    #expect(findings.isEmpty, "\(findings.report)")
  }

  // MARK: Purity

  @Test(arguments: [
    "let now = Date()", "let now = ContinuousClock.now", "let x = Mutex(0)", "let x = Atomic(0)", "Task { }",
    "let x = Int.random(in: 0...1)", "list.shuffled()", "list.randomElement()", "print(1)",
    "let x = Double.random(\n  in: 0...(1 + 2)\n)",
  ])
  func `impure code in the core is found`(_ source: String) {
    #expect(PurityRules.findings(in: file(source)).count == 1)
    #expect(PurityRules.findings(in: file(source, path: "Sources/GridLink/Example.swift")).isEmpty)
  }

  @Test(arguments: [
    "let x = Int.random(in: 0...f(1), using: &generator)", "let x = Int.random(\n  in: 0...1,\n  using: &generator)",
    "list.shuffled(using: &generator)", "var updateTaskCount = 0", "let text = \"Date()\"", "var kind: MutexKind",
  ])
  func `pure code is left alone`(_ source: String) {
    #expect(PurityRules.findings(in: file(source)).isEmpty)
  }

  // MARK: What is counted

  @Test(arguments: [
    ("let name = item[\"name\"]?.stringValue", 1), ("a[\"b\"]?[\"c\"]", 2), ("let list = [\"name\"]", 0),
    ("variables[\"GRIDCTL_OUTPUT\"]", 0), ("// item[\"name\"]", 0), ("item[field]", 0), ("call([\"a\", \"b\"])", 0),
  ])
  func `keys of JSON are counted`(_ source: String, _ count: Int) {
    let file = file(source, path: "Sources/Grid/Example.swift")
    #expect(CountedRules.compare(CountedRules.Rule(counting: CountedRules.subscripts), [file]).isEmpty == (count == 0))
    #expect(CountedRules.subscripts.count(file, 0) == count)
    #expect(CountedRules.subscripts.key(self.file(source, path: "Sources/GridRequests/Example.swift")) == nil)
  }

  @Test(arguments: [
    ("try await Task.sleep(for: pause)", 1), ("let now = ContinuousClock.now", 1),
    ("await withCheckedContinuation { continuation in", 1), ("await timers.sleep(for: pause)", 0),
  ])
  func `waiting past the timers is counted`(_ source: String, _ count: Int) {
    let file = file(source, path: "Sources/Grid/Example.swift")
    #expect(CountedRules.waiting.count(file, 0) == count)
    #expect(CountedRules.waiting.key(self.file(source, path: "Sources/GridConcurrency/Example.swift")) == nil)
  }

  @Test func `entries of the ratchet only shrink`() {
    let file = file("public struct A {\n  public var b = 1\n  package var c = 2\n}", path: "Sources/Grid/Example.swift")
    func findings(_ known: Int) -> Int {
      CountedRules.compare(CountedRules.Rule(counting: CountedRules.publicNames, known: ["Grid": known]), [file]).count
    }
    #expect(findings(2) == 0 && findings(1) == 1 && findings(3) == 1)
  }

  // MARK: Banned calls

  @Test(arguments: [
    "Task { await work() }", "Task.detached { }", "Task(executorPreference: loop) { }", "Task.immediate { }",
    "Task(priority: .high) { }", "try! work()",
    "let x = y as! Int", "fatalError(\"no\")", "print(x)", "precondition(x > 0)", "preconditionFailure()",
    "Thread.sleep(forTimeInterval: 1)", "usleep(10)", "sleep(1)", "let child = Process()",
    "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var x = 0", "nonisolated(unsafe) var x = 0  // ok",
  ])
  func `a banned call is found`(_ source: String) {
    #expect(BannedCalls.findings(in: file(source)).count == 1)
  }

  @Test(arguments: [
    "try await Task.sleep(for: .seconds(1))", "if Task.isCancelled { return }", "let task: Task<Void, Never>?",
    "renderer.print(x)", "func print(_ text: String) {", "let blueprint = footprint(1)", "let x = y as? Int",
    "final class A: @unchecked Sendable {}  // every member is guarded by the lock of B",
    "let text = \"try! it\"", "self.sleep(1)",
  ])
  func `what only looks banned is left alone`(_ source: String) {
    let findings = BannedCalls.findings(in: file(source))
    #expect(findings.isEmpty, "\(findings.report)")
  }

  @Test func `the one place of unstructured tasks may start them`() {
    let place = "Sources/GridActors/Cells/UnstructuredTask.swift"
    #expect(BannedCalls.findings(in: file("Task { }", path: place)).isEmpty)
    #expect(BannedCalls.findings(in: file("try! x()", path: place)).count == 1)
  }

  @Test func `a finding names the replacement`() {
    let findings = BannedCalls.findings(in: file("print(1)"))
    #expect(findings.first?.description.contains("OutputWriter") == true)
    #expect(findings.first?.description.hasPrefix("Sources/GridCore/Example.swift:1: ") == true)
  }

  // MARK: Numbers from outside

  @Test(arguments: [
    "let x = Int(json[\"a\"]?.integerValue ?? 0)", "let x = value.doubleValue.map { Int64($0) }",
    "sum += item.integerValue ?? 0", "list.reduce(0) { $0 + ($1.integerValue ?? 0) }",
  ])
  func `a number from outside that may trap is found`(_ source: String) {
    #expect(ForeignNumberRules.findings(in: file(source)).count == 1)
  }

  @Test(arguments: [
    "let x = Int(clamping: json[\"a\"]?.integerValue ?? 0)", "let x = Int64(text)", "let x = a.integerValue ?? 0",
    "let y = b.compactMap(\\.integerValue).clampedSum()", "let z = (c.doubleValue ?? 0) + 1",
  ])
  func `a number from outside that stays on its scale is left alone`(_ source: String) {
    let findings = ForeignNumberRules.findings(in: file(source))
    #expect(findings.isEmpty, "\(findings.report)")
  }

  @Test func `the subscript of a row is found where files are read`() {
    let path = "Sources/GridStoreSQLite/Example.swift"
    #expect(ForeignNumberRules.findings(in: file("let x: Int = row[\"a\"]", path: path)).count == 1)
    #expect(ForeignNumberRules.findings(in: file("let x = row[\"a\"]?.stringValue")).isEmpty)
  }

  @Test(arguments: ["// TO" + "DO: later", "let x = 1 // FIX" + "ME"])
  func `unfinished work is found`(_ source: String) {
    #expect(BannedCalls.unfinished(in: file(source)).count == 1)
  }

  // MARK: Layout

  @Test func `a long line is found`() {
    #expect(LayoutRules.longLines("a", [String(repeating: "x", count: 120)]).isEmpty)
    #expect(LayoutRules.longLines("a", ["", String(repeating: "x", count: 121)]).map(\.line) == [2])
    #expect(LayoutRules.longLines("a", [String(repeating: "é", count: 120)]).isEmpty)
  }

  @Test func `a long function is found, its neighbours are not`() {
    let body = Array(repeating: "    work()", count: 70)
    let source =
      (["struct A {", "  func short() { work() }", "  func long(", "    _ x: Int = { 1 }()", "  ) throws {"]
      + body + ["  }", "  init() {", "  }", "}"]).joined(separator: "\n")
    #expect(
      FunctionFinder.functions(in: file(source)) == [
        .init(name: "short", line: 2, lines: 1), .init(name: "long", line: 3, lines: 74),
        .init(name: "init", line: 77, lines: 2),
      ])
    #expect(LayoutRules.overlong(in: file(source)).map(\.key) == ["Sources/GridCore/Example.swift#long"])
  }

  @Test func `a requirement of a protocol has no length`() {
    let source = "protocol P {\n  func a() async throws\n  init(x: Int)\n  func b()\n}\nfunc c() {\n}"
    #expect(FunctionFinder.functions(in: file(source)).map(\.name) == ["c"])
  }

  @Test func `a long file is found`() {
    let source = Array(repeating: "let x = 1", count: 401).joined(separator: "\n")
    #expect(LayoutRules.overlong(in: file(source)).map(\.lines) == [401])
  }

  @Test func `the ratchet holds`() {
    let found = [LayoutRules.Overlong(key: "a", lines: 410, limit: 400)]
    #expect(LayoutRules.compare(found, with: ["a": 410]).isEmpty)
    #expect(LayoutRules.compare(found, with: [:]).count == 1, "new")
    #expect(LayoutRules.compare(found, with: ["a": 405]).count == 1, "grown")
    #expect(LayoutRules.compare(found, with: ["a": 420]).count == 1, "shrunk, the entry not")
    #expect(LayoutRules.compare([], with: ["a": 410]).count == 1, "no longer needed")
  }

  // MARK: Promises

  @Test func `public types are named on the page, and only they`() {
    let file = SwiftText(
      path: "Sources/GridCore/A.swift",
      text: """
        public struct Promised {}
        @frozen public enum Forgotten {
          public struct Inner {}
        }
        package struct Own {}
        """)
    #expect(Set(PromiseRules.declared([file]).keys) == ["Promised", "Forgotten"])
    let findings = PromiseRules.findings([file], page: "Grid.md", "``Before``\n## Topics\n``Promised``, ``Own``: both")
    #expect(findings.map(\.path).sorted() == ["Grid.md", "Sources/GridCore/A.swift"])
  }

  // MARK: Paths

  @Test(arguments: ["cd /ho" + "me/anna/x", "\"/Us" + "ers/anna\"", "see /wo" + "rk/main/a", "/ro" + "ot/.ssh"])
  func `a folder of one machine is found`(_ line: String) {
    #expect(PathRules.findings(in: "README.md", "first\n\(line)\n").map(\.line) == [2])
  }

  @Test(arguments: ["$HOME/x", "Sources/wo" + "rk/a", "https://example.org/ho" + "me/x", "../wo" + "rk/a", "/tmp/x"])
  func `other paths are left alone`(_ line: String) {
    #expect(PathRules.findings(in: "README.md", line).isEmpty)
  }
}

extension CountedRules.Rule {
  /// The same rule with other entries.
  fileprivate init(counting rule: CountedRules.Rule, known: [String: Int] = [:]) {
    self = rule
    self.known = known
  }
}
