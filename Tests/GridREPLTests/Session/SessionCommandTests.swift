import Foundation
import Testing

/// The commands that begin with a colon: what they change, and what they show.
@Suite struct SessionCommandTests {
  @Test func settingsChangeWhatFollows() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter(":set output name; peers; :set output table; :set timeout 300ms")
      try await session.text("\npeer/n1\ndefault n1 1/1>")
      try session.enter("spawn exec slow -- sleep 100; ask slow hello")
      try await session.text("slow did not answer within 300ms")
      try session.enter(":set bogus 1")
      try await session.text("there is no setting \"bogus\"")
      try session.enter(":set timeout soon")
      try await session.text("\"soon\" is no duration")
      try session.enter(":timing on; kinds -o name")
      try await session.wait("the time it took") { $0.text.contains(/kind\/sink\n\([0-9.]+.?s\)/) }
      try session.enter(":set prompt '%n[%a of %k]%s> '")
      try await session.prompt("n1[1 of 1]>")
      try session.enter(":set")
      try await session.text("timeout   300ms\ntiming    on\n")
    }
  }

  @Test func theLastErrorIsExplained() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let result = try await cluster.run("gridctl repl --on-error continue -c 'ask nobody; :explain'")
      #expect(result.output.hasPrefix("error 67 (no-such-actor): no actor nobody in namespace default\n  67 means: "))
      #expect(result.output.contains("try: see what runs with: gridctl actors"))
      let first = try await cluster.run("gridctl repl -c ':explain'")
      #expect(first.output.contains("nothing has failed") && first.status == 0, "\(first)")
    }
  }

  @Test func valuesAreListed() async throws {
    try await withCluster { cluster in
      let result = try await cluster.run(
        "gridctl repl -c 'let total = [1, 2]; let label = \"x y\"; $total[1]; :values'")
      #expect(
        result.output == "2\n$label  \"x y\"\n$total  [1,2]\n$1      [1,2]\n$2      \"x y\"\n$3      2\n", "\(result)")
    }
  }

  @Test func whatWasTypedIsSavedAndRunAgain() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      for line in ["spawn counter hits -o name --if-absent", "tell hits 2", "ask hits"] { try session.enter(line) }
      try await session.text("\nactor/hits\ndefault n1 1/1> tell hits 2\ndefault n1 1/1> ask hits\n2\n")
      try session.enter(":history 2")
      try await session.text("    3  ask hits\n    4  :history 2\n")
      try session.enter(":save again 4")
      try await session.text("scripts/again.grid: run it with")
      try session.enter(":source again")
      try await session.text("\n4\n")
      try session.enter(":source nowhere")
      try await session.text("cannot read \"nowhere\": No such file or directory")
      try session.enter(":save ../again")
      try await session.text("invalid script name")
      try await session.prompt("default n1 1/1>")
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
    }
  }

  @Test func theSessionGoesToAnotherCluster() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      _ = try await cluster.run(
        """
        gridctl node start --detach --namespace blue --name b1 --listen 127.0.0.1:0
        gridctl context add blue --namespace blue -q
        """)
      let session = try cluster.session(["--no-events"])
      try await session.prompt("default n1 1/1>")
      try session.enter(":use blue")
      try await session.prompt("blue b1 1/1>")
      try session.enter("peers -o name")
      try await session.text("\npeer/b1\n")
      try session.enter(":use red")
      try await session.text("no context red")
      try session.enter(":events leader; :events")
      try await session.text("events: leader\nevents: leader\n")
      try session.enter(":events sun")
      try await session.text("there are no events of kind \"sun\"")
    }
  }

  @Test func everyCommandHasHelp() async throws {
    try await withCluster { cluster in
      let list = try await cluster.run("gridctl repl -c :help")
      let names = list.output.matches(of: /\n  (:[a-z]+)/).map { String($0.1) }
      #expect(names.count >= 16)
      for name in names {
        let help = try await cluster.run("gridctl repl -c ':help \(name)'")
        #expect(help.output.hasPrefix(name) && help.status == 0, "\(name): \(help)")
      }
    }
  }
}
