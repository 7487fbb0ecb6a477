import Foundation
import Grid
import Logging
import Testing

/// Typing while the cluster is in uproar.
@Suite(.serialized)
struct FloodTests {
  /// Dead letters as fast as asked, to so many targets that the node itself folds none of them.
  private func flood(_ node: GridNode, _ perSecond: Int) async throws {
    let clock = ContinuousClock()
    let began = clock.now
    var sent = 0
    while !Task.isCancelled {
      let seconds: Double = (clock.now - began) / .seconds(1)
      let due = Int(seconds * Double(perSecond))
      while sent < due {
        try? await node.tell("ghost-\(sent % 1000)", Message("x"))
        sent += 1
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  @Test func tenThousandEventsASecondLeaveTheLineReadable() async throws {
    try await inFlood(of: 10_000, typeInTheFlood)
  }

  /// Prints the figure; how fast is fast enough is no matter of a test.
  @Test func typingWhileAThousandEventsASecondArrive() async throws {
    try await inFlood(of: 1000) { cluster in
      let session = try cluster.session()
      try await session.prompt("default n1 1/1>")
      try await session.text("more dead letters in 1s", limit: .seconds(60))
      var latencies: [Duration] = []
      for _ in 0..<10 {
        var line = "default n1 1/1>"
        for (number, character) in "tell-hits-while-it-rains-and-rains".enumerated() {
          line += number == 0 ? " \(character)" : String(character)
          latencies.append(try session.latency(of: character, line: line))
          try await Task.sleep(for: .milliseconds(20))
        }
        try session.type("\u{15}")
        try await session.prompt("default n1 1/1>")
      }
      latencies.sort()
      let shares = [0.5, 0.9, 0.99, 1].map { share in
        "p\(share * 100) \(latencies[Int(Double(latencies.count - 1) * share)] / .milliseconds(1)) ms"
      }
      print("key to screen, \(latencies.count) keys, 1000 dead letters a second: \(shares.joined(separator: ", "))")
    }
  }

  private func inFlood(of perSecond: Int, _ body: @Sendable (Cluster) async throws -> Void) async throws {
    try await withCluster { cluster in
      var configuration = NodeConfiguration(
        name: "n1", listen: "127.0.0.1:0", stateDirectory: cluster.directory + "/state/node",
        runtimeDirectory: cluster.directory + "/run/gridctl/default")
      configuration.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
      let node = GridNode(configuration)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await node.run() }
        try await node.waitUntilReady()
        try await withThrowingTaskGroup(of: Void.self) { flooding in
          // Ended before the node is: nobody tells a node anything that has left.
          flooding.addTask { try? await flood(node, perSecond) }
          try await body(cluster)
          flooding.cancelAll()
        }
        node.beginGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  private func typeInTheFlood(_ cluster: Cluster) async throws {
    let session = try cluster.session()
    try await session.prompt("default n1 1/1>")
    try await session.text("more dead letters in 1s", limit: .seconds(60))
    var typed = ""
    for word in ["tell", "hits", "while", "it", "rains"] {
      for character in word + " " {
        typed.append(character)
        try session.type(String(character))
        let line = typed.last == " " ? String(typed.dropLast()) : typed
        try await session.wait("«\(typed)»") { $0.cursorLine == "default n1 1/1> \(line)" }
      }
    }
    try session.type("\u{3}")
    try await session.wait("a fresh prompt") { $0.cursorLine == "default n1 1/1>" }
    try session.enter("$?")
    try await session.text("\n0\n")
    for line in session.screen.history where !line.isEmpty {
      let isWhole = ["· ", "default n1 1/1>", "gridctl ", " to leave", "0"].contains { line.hasPrefix($0) }
      #expect(isWhole, "a garbled line: \(line)")
    }
    try session.enter(":quit")
    #expect(try await session.exitCode() == 0)
  }
}
