internal import Grid
internal import GridTestKit
internal import Synchronization
internal import Testing

@Suite("What a node knows of the world", .timeLimit(.minutes(5)))
struct WorldTests {
  @Test("it reads the environment that it is given, and no other")
  func environment() async throws {
    let program = ExecSpecification(command: ["sh", "-c", "while read -r x; do echo \"$COLOUR,$HOME,$SHAPE\"; done"])
    let given = ["PATH": "/usr/bin:/bin", "COLOUR": "green", "HOME": "/tmp", "SHAPE": "round"]
    try await withCluster(
      "a",
      configure: {
        $0 = NodeConfiguration(
          namespace: $0.namespace, name: $0.name, listen: $0.listen, stateDirectory: $0.stateDirectory,
          runtimeDirectory: $0.runtimeDirectory, logger: $0.logger, environment: given)
        $0.programs = ["painter": program]
        $0.passedVariables = ["COLOUR"]
      }
    ) { cluster in
      let node = try cluster["a"]
      try await node.spawn("painter", "p")
      #expect(try await node.ask("p", Message("which?")).text == "green,/tmp,")
    }
  }

  @Test("its directories are those of the environment that it is given")
  func directories() {
    let given = ["XDG_STATE_HOME": "/var/tmp/s", "XDG_RUNTIME_DIR": "/var/tmp/r"]
    let configuration = NodeConfiguration(namespace: "shop", environment: given)
    #expect(configuration.stateDirectory == "/var/tmp/s/gridctl/shop")
    #expect(configuration.runtimeDirectory == "/var/tmp/r/gridctl/shop")
  }

  @Test("it goes by the clock that it is given")
  func clock() async throws {
    let clock = EarlierTimers()
    try await withCluster("a", configure: { $0.timers = clock }) { cluster in
      let node = try cluster["a"]
      var events = try await node.events().makeAsyncIterator()
      try await node.spawn("echo", "mirror")
      #expect(await events.next()?.at.rfc3339.hasPrefix("2001-") == true)
      // Its deadlines are of that clock too.
      #expect(try await node.ask("mirror", Message("x"), timeout: .seconds(30)).text == "x")
    }
    #expect(clock.hasBeenAsked)
  }
}

/// The machine's time in a year long ago.
private final class EarlierTimers: Timers {
  private let machine = MachineTimers()
  private let asked = Mutex(false)
  private let started: CalendarTime
  private static let then = CalendarTime(millisecondsSince1970: 980_000_000_000)

  init() { started = machine.date() }

  var hasBeenAsked: Bool { asked.withLock { $0 } }

  func now() -> MonotonicTime { machine.now() }

  func date() -> CalendarTime {
    let since = machine.date().millisecondsSince1970 - started.millisecondsSince1970
    return CalendarTime(millisecondsSince1970: Self.then.millisecondsSince1970 + since)
  }

  func schedule(at time: MonotonicTime, _ action: @escaping @Sendable () -> Void) -> TimerToken {
    asked.withLock { $0 = true }
    return machine.schedule(at: time, action)
  }

  func cancel(_ token: TimerToken) { machine.cancel(token) }
}
