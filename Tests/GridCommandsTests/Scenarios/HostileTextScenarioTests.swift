import Foundation
import Testing

/// What others write never drives the terminal of who looks at it, and reaches programs byte for byte.
@Suite struct HostileTextScenarioTests {
  /// Runs a line on a terminal of its own. What is left of what it showed once our own sequences, which move the cursor
  /// and colour nothing here, are taken away.
  private func shown(_ line: String, _ sandbox: Sandbox) async throws -> String {
    let script = "export NO_COLOR=1 TERM=xterm PAGER=cat\nstty cols 120 rows 40\n\(line)\n"
    try script.write(toFile: sandbox.directory + "/line.sh", atomically: true, encoding: .utf8)
    let result = try await sandbox.run("exec 7<>quiet; script -qec 'bash line.sh' /dev/null <&7", limit: .seconds(60))
    return result.output.replacingOccurrences(of: "\r", with: "")
      .replacingOccurrences(of: "\u{1B}\\[[0-9;?]*[HJKhlABCD]", with: "", options: .regularExpression)
  }

  private func prepare(_ sandbox: Sandbox) async throws {
    let hostile = Data(HostileText.all.utf8)
    try hostile.write(to: URL(fileURLWithPath: sandbox.directory + "/hostile"))
    try (hostile + [0xFF, 0x20, 0xC3, 0x28]).write(to: URL(fileURLWithPath: sandbox.directory + "/raw"))
    let string = try JSONSerialization.data(withJSONObject: HostileText.all, options: .fragmentsAllowed)
    try string.write(to: URL(fileURLWithPath: sandbox.directory + "/string"))
    try """
    while read -r line; do
      number=$(printf '%s' "$line" | sed 's/.*"message":\\([0-9]*\\).*/\\1/')
      cat raw >&2; echo >&2
      case $line in
        *die*) exit 3 ;;
        *) printf '{"log":%s}\\n{"reply":%s,"error":%s}\\n' "$(cat string)" "$number" "$(cat string)" ;;
      esac
    done
    """.write(toFile: sandbox.directory + "/bad.sh", atomically: true, encoding: .utf8)
    try await sandbox.output(
      """
      mkfifo quiet; mkdir "$(cat hostile)"
      start --name n1 --label "zone=$(cat hostile)" || start --name n1
      gridctl spawn echo e
      gridctl spawn exec bad --framing json -- sh bad.sh
      gridctl spawn exec args --working-directory "$PWD/$(cat hostile)" -- sh -c 'exec cat' "$(cat hostile)"
      for word in x die; do gridctl ask bad $word 2>/dev/null; done
      gridctl tell nobody - <raw
      gridctl tell nobody --type "$(cat hostile)" --header "k=$(cat hostile)" "$(cat hostile)"
      gridctl ask e @hostile >answered; true
      """)
  }

  private static let formats = [
    "table", "wide", "json", "jsonl", "yaml", "tsv", "name",
    "jsonpath={.items[*]}{..body}{.detail}{.lastFailure}{.reply}",
  ]

  private static let looks = [
    "gridctl ask e @raw", "gridctl ask e @hostile", "gridctl ask bad x", "gridctl ask e --lines <raw",
    "gridctl dead-letters list", "gridctl dead-letters show $(gridctl dead-letters list -o jsonpath='{.items[0].id}')",
    "gridctl dead-letters show $(gridctl dead-letters list -o jsonpath='{.items[1].id}')",
    "gridctl events --since 1h --idle 200ms", "gridctl inspect bad", "gridctl inspect args", "gridctl actors",
    "gridctl peers", "gridctl node info n1", "gridctl top --once", "gridctl check",
  ]

  @Test func nothingThatOthersWroteDrivesTheTerminal() async throws {
    try await withSandbox { sandbox in
      try await prepare(sandbox)
      for look in Self.looks {
        // One terminal for all formats: it takes longer to make than they do.
        let text = try await shown(Self.formats.map { "\(look) -o '\($0)'" }.joined(separator: "\n"), sandbox)
        #expect(HostileText.faults(in: text) == [], "\(look): \(text.debugDescription)")
      }
    }
  }

  private static let others = [
    // A stream while it comes, what is drawn again and again, a session.
    "(sleep 0.5; gridctl ask e @hostile >/dev/null) & gridctl trace e --body --max 2 --for 5s",
    "timeout -s INT 3 gridctl top --by failures", "gridctl repl -c 'ask e @raw'",
    "gridctl repl -c 'let x = ask e @hostile; echo $x; :values; actors | where name != \"zz\"; inspect bad'",
    "gridctl repl -c 'for n in 1 2 do ask bad x'", "gridctl tell e --lines --progress <raw",
    // What is typed comes back in errors.
    "gridctl ask \"$(cat hostile)\" x", "gridctl \"$(cat hostile)\"", "gridctl peers \"--$(cat hostile)\"",
    "gridctl peers -e \"$(cat hostile)\"", "gridctl spawn \"$(cat hostile)\"", "gridctl inspect \"$(cat hostile)\" -v",
    "gridctl ask e \"@$(cat hostile)\"", "gridctl ask e @hostile -v --rtt",
    "gridctl actors --filter \"$(cat hostile)\"",
    "gridctl node start --kinds-file \"$(cat hostile)\"", "gridctl --context \"$(cat hostile)\" peers",
    // The log of a node on its terminal.
    "timeout -s INT 4 gridctl node start --namespace two --listen 127.0.0.1:0 --kinds-file kinds.yaml -vv",
    "timeout -s INT 4 gridctl node start --namespace two --listen 127.0.0.1:0 --kinds-file kinds.yaml --log json",
  ]

  @Test func neitherDoErrorsStreamsSessionsNorLogs() async throws {
    try await withSandbox { sandbox in
      try await prepare(sandbox)
      try await sandbox.output(
        """
        printf 'kinds: { leader: { command: [sh, -c, "cat raw; cat raw >&2; echo >&2; exec sleep 60"] } }' >kinds.yaml
        """)
      for other in Self.others {
        let text = try await shown(other, sandbox)
        #expect(HostileText.faults(in: text) == [], "\(other): \(text.debugDescription)")
        #expect(!text.isEmpty, "\(other)")
      }
    }
  }

  @Test func programsGetEveryByte() async throws {
    try await withSandbox { sandbox in
      try await prepare(sandbox)
      try await sandbox.output("gridctl ask e --raw @raw | cmp - raw")
      try await sandbox.output("gridctl ask e @raw | cmp - <(cat raw; echo)")
      try await sandbox.output("gridctl ask e @hostile -o jsonpath={.reply} | cmp - <(cat hostile; echo)")
      let document = try await sandbox.output("gridctl ask e @hostile -o json")
      let object = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any]
      #expect(object?["reply"] as? String == HostileText.all)
      try await sandbox.output("gridctl repl -c 'ask e @raw' | cmp - <(cat raw; echo)")
    }
  }
}
