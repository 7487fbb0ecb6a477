import Foundation
import Testing
import Yams

/// Every list in every format, with something in it and empty.
@Suite struct OutputTests {
  /// Lists, with a filter that leaves nothing.
  static let lists = [
    "peers|--status dead", "actors|nothing-*", "actors --summary|nothing-*", "dead-letters list|--to nothing",
    "kinds|", "exit-codes|",
  ]

  @Test(arguments: lists)
  func machineFormatsParse(_ list: String) async throws {
    let parts = list.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.run(
        "gridctl spawn echo one; gridctl spawn counter two; gridctl tell nobody $'a\\tb: - \"c\\nd'")
      try await check(sandbox, parts[0], isEmpty: false)
      if !parts[1].isEmpty { try await check(sandbox, "\(parts[0]) \(parts[1])", isEmpty: true) }
    }
  }

  private func check(_ sandbox: Sandbox, _ command: String, isEmpty: Bool) async throws {
    func lines(_ format: String) async throws -> [String] {
      try await sandbox.output("gridctl \(command) -o \(format)").split(separator: "\n").map(String.init)
    }
    let json = try await sandbox.output("gridctl \(command) -o json")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let items = try #require(document["items"] as? [[String: Any]])
    #expect(items.isEmpty == isEmpty)
    #expect(document["apiVersion"] as? String == "gridctl/v1")
    #expect((document["kind"] as? String)?.hasSuffix("List") == true)

    let yaml = try #require(
      try Yams.load(yaml: try await sandbox.output("gridctl \(command) -o yaml")) as? [String: Any])
    let yamlItems = try #require(yaml["items"] as? [[String: Any]])
    #expect(yamlItems.map { $0.keys.sorted() } == items.map { $0.keys.sorted() })
    for (item, yamlItem) in zip(items, yamlItems) {
      for (key, value) in item where value is String { #expect(yamlItem[key] as? String == value as? String) }
    }

    let records = try await lines("jsonl")
    #expect(records.count == items.count)
    for record in records {
      #expect(try JSONSerialization.jsonObject(with: Data(record.utf8)) is [String: Any])
    }
    #expect(try await lines("name").count == items.count)
    for format in ["table", "wide", "tsv"] { #expect(try await lines(format).count == items.count + 1) }
    let rows = try await lines("tsv").map { $0.count { $0 == "\t" } }
    #expect(Set(rows).count == 1, "every row has as many cells as the header")
    #expect(try await sandbox.output("gridctl \(command) --no-headers").isEmpty == isEmpty)
  }

  @Test(arguments: [
    "node info", "inspect one", "spawn echo", "ask one '{\"a\":[1,null]}'", "node ping", "bench ask one --count 10",
  ])
  func singleThingsParse(_ command: String) async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      try await sandbox.output("gridctl spawn echo one")
      let json = try await sandbox.output("gridctl -q \(command) -o json 2>/dev/null")
      #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any], "\(json)")
      let jsonl = try await sandbox.output("gridctl \(command) -o jsonl")
      #expect(jsonl.split(separator: "\n").count == 1)
      #expect(try JSONSerialization.jsonObject(with: Data(jsonl.utf8)) is [String: Any], "\(jsonl)")
      #expect(try Yams.load(yaml: try await sandbox.output("gridctl \(command) -o yaml")) is [String: Any])
    }
  }

  @Test func failuresAreJSONOnStandardError() async throws {
    try await withSandbox { sandbox in
      for format in ["json", "jsonl"] {
        let result = try await sandbox.run("gridctl peers -o \(format)")
        #expect(result.status == 69)
        #expect(result.output == "")
        let document = try JSONSerialization.jsonObject(with: Data(result.errors.utf8)) as? [String: [String: Any]]
        #expect(document?["error"]?["code"] as? Int == 69)
        #expect(document?["error"]?["name"] as? String == "unavailable")
      }
    }
  }

  @Test func outputThatNobodyReadsEndsTheCommand() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start("n1")
      let piped = try await sandbox.run("gridctl events --since 1h -o jsonl | head -1 | wc -l; echo ${PIPESTATUS[0]}")
      #expect(piped.output.hasPrefix("1\n"), "\(piped.output)")
      let follower = try await sandbox.run(
        """
        gridctl events -o jsonl > >(head -1 >first) & events=$!
        eventually 'gridctl spawn echo >/dev/null; ! kill -0 $events 2>/dev/null'; wait $events; echo $?
        """)
      #expect(follower.output == "141\n", "\(follower.errors)")
      for (line, status) in [
        ("gridctl actors >&-", 74), ("gridctl actors >/dev/full", 74), ("gridctl --help >/dev/full", 74),
      ] {
        #expect(try await sandbox.run(line).status == Int32(status), "\(line)")
      }
    }
  }
}
