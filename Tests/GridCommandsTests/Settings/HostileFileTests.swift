import Foundation
import Testing

@testable internal import GridCommands
@testable internal import GridCore

/// Files that are read on somebody's behalf, and what else may lie in their place: nothing hangs, and every error names
/// the file.
@Suite struct HostileFileTests {
  @Test(
    arguments: [
      ("a.b.c = 1\n[x.y]\nz = [[1], [2]]", nil), (String(repeating: "a.", count: 32) + "b = 1", nil),
      ("x = 1\n" + String(repeating: "a.", count: 33) + "b = 1", 2),
      ("s = \"" + String(repeating: ".", count: 1000) + "\"", nil), ("# " + String(repeating: "[", count: 1000), nil),
      ("s = '" + String(repeating: "[", count: 1000) + "'", nil), (String(repeating: "[", count: 33), 1),
      (String(repeating: "\n[", count: 33), 34), (String(repeating: "[]\n", count: 1000), nil),
      ("s = \"\\\"" + String(repeating: ".", count: 1000) + "\"", nil),
      (String(repeating: ".", count: 100_000), 1), ("a = {" + String(repeating: "b = {", count: 40), 1),
    ] as [(String, Int?)])
  func `nesting is bounded before a parser sees it`(_ text: String, _ line: Int?) {
    #expect(NestingLimit.lineBeyond(in: text) == line)
  }

  @Test(
    arguments: [
      ("x = [}", 1), ("a = 1\nx = [\n  1, # ]\n  }", 4), ("x = [[[}]:", 1), ("x = [1, }", 1), ("x = [\u{2028}", 1),
      ("x = [\u{85}1]", 1), ("x = ['''\n'''', }", 2), ("x = [{}, { a = [] }]\n[t]\n[[u]]", nil), ("x = }", nil),
      ("x = ['}', \"\\\"}\", \"\"\"\n}\"\"\"\"\", '''}''']", nil), ("x = [ # }\n]", nil), ("x = ['\u{2028}']", nil),
      ("x = \"[\ny = {}", nil), ("x = [\"\\", nil),
    ] as [(String, Int?)])
  func `what would end the parser, and gridctl with it, is an error with its line`(_ text: String, _ line: Int?) {
    #expect(ArrayFault.line(in: text) == line)
    let error = #expect(throws: GridError.self) { _ = try ConfigurationTable(path: "c.toml", text: text + "\n}") }
    #expect(error?.code == .configuration && error?.message.hasPrefix("c.toml") == true)
  }

  /// What may lie where a context, a configuration or a chosen context's name should.
  private static let settings: [(make: String, told: String)] = [
    ("mkfifo FILE", "it is a pipe"), ("mkdir FILE", "it is a directory"), ("ln -s /dev/zero FILE", "it is a device"),
    ("ln -s /dev/tty FILE", "cannot read"), ("ln -s FILE FILE", "cannot read"),
    ("ln -s nowhere FILE", "No such file"),
    ("head -c 70000 /dev/zero | tr '\\0' . >FILE", "has 70000 bytes"),
    ("head -c 60000 /dev/zero | tr '\\0' . >FILE", "FILE"), ("head -c 60000 /dev/zero | tr '\\0' '[' >FILE", "FILE"),
    ("truncate -s 1T FILE", "bytes"), ("printf '\\0' >FILE", "FILE"), ("printf '\\377' >FILE", "FILE"),
    ("python3 -c 'import socket;socket.socket(socket.AF_UNIX).bind(\"FILE\")'", "it is a socket"),
  ]

  @Test(arguments: ["config.toml", "contexts/prod.toml", "current"])
  func `a setting's file that is none is told, and nothing waits`(_ file: String) async throws {
    try await withSandbox { sandbox in
      let place = file == "current" ? "state/gridctl/current" : ".config/gridctl/\(file)"
      let command = file.hasPrefix("contexts") ? "-C prod actors" : "actors"
      for (make, told) in Self.settings {
        let made = try await sandbox.run(
          "mkdir -p state/gridctl .config/gridctl/contexts; rm -rf \(place); \(make.replacing("FILE", with: place))")
        #expect(made.status == 0, "\(make): \(made.errors)")
        let result = try await sandbox.run("timeout 20 gridctl \(command) -t 1s")
        #expect([66, 78].contains(result.status), "\(make): \(result.status) \(result.errors)")
        let expected = told == "FILE" || file == "current" ? place : told
        #expect(result.errors.contains(expected), "\(make): \(result.errors)")
        // What was chosen elsewhere is not asked for where an option goes before it.
        if file == "current" {
          #expect(try await sandbox.run("timeout 20 gridctl -C '' actors").status == 69, "\(make)")
        }
      }
    }
  }

  @Test func `a setting's file that is dev null is an empty one`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.output("mkdir -p .config/gridctl && ln -s /dev/null .config/gridctl/config.toml")
      #expect(try await sandbox.run("gridctl exit-codes").status == 0)
    }
  }

  @Test func `bodies come from pipes and devices, within the limit and the time-out`() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo mirror; mkfifo fifo; mkdir folder; echo hello >order.json")
      for (line, output) in [
        ("gridctl ask mirror @<(echo hello)", "hello\n"), ("echo hello | gridctl ask mirror @/dev/stdin", "hello\n"),
        ("(sleep 0.3; echo hello) >fifo & gridctl ask mirror @fifo", "hello\n"),
        ("gridctl ask mirror @<(sleep 0.3; echo hello) -t 20s", "hello\n"), ("gridctl ask mirror @/dev/null", "\n"),
      ] {
        let result = try await sandbox.run(line)
        #expect(result.output == output && result.status == 0, "\(line): \(result.errors)")
      }
      for (line, status, told) in [
        ("ask mirror @fifo -t 300ms", 124, "\"fifo\" did not come to its end within 300ms"),
        ("ask mirror @<(sleep 20) -t 300ms", 124, "within 300ms"), ("ask mirror @/dev/zero", 65, "more than 16711680"),
        ("ask mirror @folder", 66, "it is a directory"), ("ask mirror @ordr.json", 66, "similar: order.json"),
        ("ask mirror @nowhere/x", 66, "there is no directory nowhere/"),
        ("ask mirror @run/gridctl/default/n1.sock", 66, "it is a socket"),
        ("node start --kinds-file folder", 66, "it is a directory"),
        ("node start --kinds-file oder.json", 66, "similar: order.json"),
        ("node start --kinds-file /dev/zero", 78, "a kinds file has at most"),
        ("repl -f fifo -t 300ms", 124, "within 300ms"),
        ("repl -f folder", 66, "it is a directory"), ("repl -f oder.json", 66, "similar: order.json"),
        ("repl -f /dev/zero", 66, "a script has at most"),
      ] as [(String, Int32, String)] {
        let result = try await sandbox.run("timeout 30 gridctl \(line)")
        #expect(result.status == status, "\(line): \(result.status) \(result.errors)")
        #expect(result.errors.contains(told), "\(line): \(result.errors)")
      }
    }
  }

  @Test func `a kinds file that nests without end is refused`() async throws {
    try await withSandbox { sandbox in
      for make in [
        "head -c 200000 /dev/zero | tr '\\0' '[' >kinds", "head -c 200000 /dev/zero | tr '\\0' '{' >kinds",
        "yes -- '- ' | head -c 200000 | tr -d '\\n' >kinds", "yes ' a:' | head -c 200000 >kinds",
        """
        (echo 'a: &a [x,x,x,x]'; p=a
        for n in 1 2 3 4 5 6 7 8 9; do echo "b$n: &b$n [*$p,*$p,*$p,*$p,*$p,*$p,*$p,*$p]"; p=b$n; done) >kinds
        """,
      ] {
        let result = try await sandbox.run("\(make); timeout 20 gridctl node start --kinds-file kinds")
        #expect(result.status == 78, "\(make): \(result.status) \(result.errors.prefix(500))")
      }
    }
  }

  @Test func `a secret's file may be a pipe that is written to in time`() async throws {
    try await withSandbox { sandbox in
      let reference = try SecretReference(parsing: "file:\(sandbox.directory)/secret")
      try await sandbox.output("mkfifo secret; (echo hunter2 >secret) >/dev/null 2>&1 &")
      #expect(try await reference.resolve(environment: [:]) == "hunter2")
      try await sandbox.output("rm secret; mkdir secret")
      await #expect(throws: GridError(.configuration, "")) { try await reference.resolve(environment: [:]) }
    }
  }

  @Test func `files are told apart`() async throws {
    try await withSandbox { sandbox in
      let file = sandbox.directory + "/file"
      try await sandbox.output("printf abc >file; mkfifo pipe")
      #expect(try UserFile.read(file, as: .record(limit: 3)) == Array("abc".utf8))
      #expect(throws: GridError(.configuration, "")) { try UserFile.read(file, as: .record(limit: 2)) }
      #expect(throws: GridError(.noInput, "")) { try UserFile.read(sandbox.directory + "/pipe", as: .record(limit: 3)) }
      #expect(UserFile.isNull("/dev/null") && !UserFile.isNull("/dev/zero") && !UserFile.isNull(file))
      try UserFile.checkPlain(file, limit: 3, noun: "a history")
      try UserFile.checkPlain(sandbox.directory + "/missing", limit: 3, noun: "a history")
      for (path, limit) in [(file, 2), (sandbox.directory, 10), (sandbox.directory + "/pipe", 10)] {
        #expect(throws: GridError(.noInput, "")) { try UserFile.checkPlain(path, limit: limit, noun: "a history") }
      }
      #expect(FileHint.text(sandbox.directory + "/fil", ENOENT) == "similar: \(file)")
      #expect(FileHint.text("/nowhere/x", ENOENT) == "there is no directory /nowhere/")
      #expect(FileHint.text(file, EACCES) == "see who may: ls -ld \(file)")
      #expect(FileHint.text(file, EIO) == nil && FileHint.text("", ENOENT) == nil)
    }
  }
}
