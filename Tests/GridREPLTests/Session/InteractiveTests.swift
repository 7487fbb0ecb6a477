import Foundation
import Testing

/// Sessions on a real terminal, against real nodes.
@Suite(.serialized)
struct InteractiveTests {
  @Test func aLineRunsAndThePromptShowsTheCluster() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let session = try cluster.session()
      try await session.prompt("default n1 2/2>")
      #expect(session.screen.text.contains("attached to n1, 2 nodes"))
      try session.enter("spawn counter hits")
      try await session.text("hits runs on n1")
      try session.enter("tell hits 41; tell hits 1; ask hits")
      try await session.prompt("default n1 2/2>")
      try session.enter("$_")
      try await session.wait("the value twice") { $0.text.split(separator: "\n").count { $0 == "42" } == 2 }
      try session.type("\u{4}")
      #expect(try await session.exitCode() == 0)
      #expect(session.screen.unknown == [])
      let peers = try await cluster.run("gridctl peers -o name")
      #expect(peers.output == "peer/n1\npeer/n2\n", "leaving stops no node")
    }
  }

  @Test func interruptCancelsTheRequestAndNotTheSession() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1")
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      try session.type("half a line")
      try await session.prompt("default n1 1/1> half a line")
      try session.type("\u{3}")
      try await session.text("default n1 1/1> half a line^C")
      try await session.prompt("default n1 1/1>")
      try session.enter("spawn exec slow --handler-timeout 60s -- sleep 100")
      try await session.text("slow runs on n1")
      try session.enter("ask slow hello -t 60s")
      try await session.text("ask slow hello -t 60s\n")
      try session.type("\u{3}")
      try await session.prompt("default n1 1/1>")
      try session.enter("$?")
      try await session.text("130")
      try await session.prompt("default n1 1/1>")
    }
  }

  @Test func aLostNodeIsToldAndTheLineSurvives() async throws {
    try await withCluster { cluster in
      try await cluster.start("n1", "n2")
      let session = try cluster.session()
      try await session.prompt("default n1 2/2>")
      try session.type("peers -o name")
      try await session.prompt("default n1 2/2> peers -o name")
      cluster.kill("n1")
      try await session.text("! node n1 is gone; looking for another one")
      try await session.text("! attached to n2")
      try await session.wait("the line at the new prompt") { $0.cursorLine.hasSuffix("> peers -o name") && $0.cursorLine.contains(" n2 ") }
      try session.type("\r")
      try await session.text("\npeer/n2")
    }
  }
}
