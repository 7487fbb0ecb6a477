internal import Grid
internal import Testing

/// Actors without a name, made by a program, from the shell and from another node.
@Suite struct AnonymousScenarioTests {
  @Test func theirAddressIsGoodWhereverANameIs() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let program = GridNode(
        NodeConfiguration(
          name: "lib", listen: "127.0.0.1:0", stateDirectory: sandbox.directory + "/state/gridctl/default",
          runtimeDirectory: sandbox.directory + "/run/gridctl/default"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await program.run() }
        let counter = try await program.spawnAnonymous("counter").address.text
        for place in ["n1", "lib"] {
          let endpoint = sandbox.endpoint(place)
          _ = try await sandbox.output("gridctl -e \(endpoint) tell \(counter) 2")
          _ = try await sandbox.output("printf '1\\n1\\n' | gridctl -e \(endpoint) tell actor/\(counter) - --lines")
        }
        #expect(try await sandbox.output("gridctl ask \(counter) 0") == "8")
        #expect(try await sandbox.output("gridctl inspect \(counter) -o jsonpath=.name") == counter)
        #expect(try await sandbox.output("gridctl actors -o name") == "")
        #expect(try await sandbox.output("gridctl actors --anonymous -o name") == "actor/\(counter)")
        #expect(try await sandbox.output("gridctl repl -c 'ask \(counter) 1'") == "9")
        #expect(try await sandbox.output("gridctl stop \(counter)") == "\(counter) has stopped")
        let gone = try await sandbox.run("gridctl ask \(counter) 0")
        #expect(gone.status == 67, "\(gone)")
        #expect(gone.errors.contains("no actor \(counter)"), "\(gone)")
        let letters = "gridctl dead-letters list -o jsonpath='{.items[0].target} {.items[0].reason}'"
        #expect(try await sandbox.output(letters) == "\(counter) no-such-actor")
        #expect(try await sandbox.output("gridctl events --since 1h --kind actor --idle 200ms -o name") == "")
        program.beginGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }
}
