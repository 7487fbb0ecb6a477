import Foundation
import Glibc
import Testing

/// Those who never say who they are cost those who do neither their answers nor their connections.
@Suite struct StrangerTests {
  private static let script = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Benchmarks/strangers.py").path

  private func port(_ sandbox: Sandbox) async throws -> String {
    String(try await sandbox.address("n1").split(separator: ":").last ?? "")
  }

  private func descriptors(of process: Int32) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
  }

  @Test func aThousandStrangersKeepNobodyOut() async throws {
    guard Machine.hasPython else { return }
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1; gridctl spawn echo e; gridctl tell e x")
      let process = try await sandbox.processIdentifier(of: "n1")
      let (address, before) = (try await sandbox.address("n1"), try descriptors(of: process))
      let memory = try sandbox.memory(of: process).now
      try await sandbox.output(
        """
        python3 \(Self.script) \(try await port(sandbox)) 1000 60 >strangers 2>&1 & echo $! >strangers.pid
        eventually 'grep -q ready strangers'
        """)
      for _ in 0..<3 {
        #expect(try await sandbox.output("gridctl ask e x -t 20s") == "x")
        #expect(try await sandbox.output("gridctl ask e y -t 20s -e \(address)") == "y")
        #expect(try await sandbox.output("gridctl repl -c 'ask e z'") == "z")
        // The table of those who have not greeted, and the few that are just being accepted or closed.
        #expect(try descriptors(of: process) < before + 64 + 32)
      }
      #expect(try sandbox.memory(of: process).most < memory + (64 << 20))
      try await sandbox.output("kill $(cat strangers.pid)")
      let left = try await sandbox.eventually("ls /proc/\(process)/fd | wc -l") {
        (Int($0.output.dropLast()) ?? .max) < before + 10
      }
      #expect((Int(left.output.dropLast()) ?? .max) < before + 10)
    }
  }

  @Test func aNodeWithoutDescriptorsServesThoseItHasAndRecovers() async throws {
    guard Machine.hasPython, Machine.isRoot else { return }
    try await withSandbox { sandbox in
      try await sandbox.output("start --name n1; gridctl spawn echo e; mkfifo lines; mkfifo quiet")
      let process = try await sandbox.processIdentifier(of: "n1")
      // A client that is there already.
      try await sandbox.output(
        """
        exec 7<>lines; (gridctl ask e --lines <&7 >answers 2>client 7<&- &) ; printf 'first\\n' >&7
        eventually 'grep -q first answers'; sleep 60 >&7 & echo $! >holder.pid
        """)
      try await sandbox.output("prlimit --pid \(process) --nofile=\(try descriptors(of: process) + 4)")
      let socket = String(sandbox.endpoint("n1").dropFirst(5))
      var idle = (0..<40).map { _ in Held(path: socket) }
      // Nobody new gets in, and the node does not spin on that.
      let ticks = try processorTicks(of: process)
      try await Task.sleep(for: .seconds(2))
      #expect(try processorTicks(of: process) - ticks < 100, "it had a processor for more than half of the time")
      try await sandbox.output("printf 'second\\n' >lines; eventually 'grep -q second answers'")
      idle.removeAll()
      #expect(try await sandbox.output("eventually 'gridctl ask e third -t 5s'") == "third")
      #expect(try await sandbox.processIdentifier(of: "n1") == process)
      try await sandbox.output("kill $(cat holder.pid)")
    }
  }

  private final class Held {
    private let connection: RawConnection?
    init(path: String) { connection = RawConnection(path: path) }
  }

  private func processorTicks(of process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ")
    return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
  }
}
