internal import Glibc
internal import GridActors
internal import GridCore
internal import GridSystem
internal import NIOCore
internal import NIOPosix

// A stand-in for a node, as a process of its own that tests can kill or measure.
//
//   hold        opens a port, starts a child with two children, one of them in a session of its own, prints
//               “PORT CHILD GRANDCHILD GRANDCHILD GUARD”, and stays
//   respawn N   starts N programs, prints how many descriptors were open before and after
//   flood       runs programs that write 1 GiB without a newline to standard output and 16 MiB to standard error,
//               which is read slowly, prints the error, the length of the line and whether it was cut, and the peak
//               of memory in KiB

let processGuard = ProcessGuard()
let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

switch CommandLine.arguments.dropFirst().first {
case "hold": try await hold()
case "respawn": try await respawn(Int(CommandLine.arguments.last ?? "") ?? 0)
case "flood": try await flood()
default: exit(64)
}

func hold() async throws {
  let listener = try await ServerBootstrap(group: eventLoop).bind(host: "127.0.0.1", port: 0).get()
  let script = "trap '' TERM HUP; sleep 600 & first=$!; setsid sleep 600 & echo $first $!; while :; do sleep 600; done"
  let child = try await processGuard.spawn(
    ProcessCommand("/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"]), on: eventLoop)
  let grandchildren = try await child.nextLine().map { String(decoding: $0, as: UTF8.self) } ?? "?"
  say(
    "\(listener.localAddress?.port ?? 0) \(child.processIdentifier) \(grandchildren) "
      + "\(processGuard.processIdentifier ?? 0)"
  )
  _ = try await child.exit
}

func respawn(_ count: Int) async throws {
  try await runOnce(ProcessCommand("/bin/cat"))
  try await settle()
  let before = openDescriptors()
  for index in 0..<count {
    switch index % 3 {
    case 0: try await runOnce(ProcessCommand("/bin/cat"))
    case 1: try? await runOnce(ProcessCommand("/no/such/program"))
    default: try await runOnce(ProcessCommand("/bin/echo", arguments: ["hello"]))
    }
  }
  try await settle(atMost: before)
  say("\(before) \(openDescriptors())")
  await processGuard.shutdown()
}

func runOnce(_ command: ProcessCommand) async throws {
  let child = try await processGuard.spawn(command, on: eventLoop)
  child.closeInput()
  _ = try await child.exit
  _ = await child.terminate()
}

/// Waits until pipes that are being closed are closed.
func settle(atMost limit: Int = 0) async throws {
  let deadline = ContinuousClock.now + .seconds(5)
  var last = openDescriptors()
  while ContinuousClock.now < deadline {
    try await Task.sleep(for: .milliseconds(300))
    let now = openDescriptors()
    if now == last, limit == 0 || now <= limit { return }
    last = now
  }
}

func openDescriptors() -> Int {
  (0..<4096).filter { fcntl(Int32($0), F_GETFD) >= 0 }.count
}

func flood() async throws {
  let zeros = ["-c", "head -c 1073741824 /dev/zero"]
  let talker = try await processGuard.spawn(ProcessCommand("/bin/sh", arguments: zeros), on: eventLoop)
  do throws(GridError) {
    _ = try await talker.nextLine()
    say("no error")
  } catch {
    say(error.code.label)
  }
  _ = try await talker.exit
  var options = ChildProcess.Options()
  options.standardError = { event in
    if case .line(let line, let isCut) = event { say("\(line.count) \(isCut)") }
    return .all
  }
  let zerosToError = ["-c", "head -c 16777216 /dev/zero >&2"]
  let complainer = try await processGuard.spawn(
    ProcessCommand("/bin/sh", arguments: zerosToError), options: options, on: eventLoop)
  _ = try await complainer.exit
  var usage = rusage()
  getrusage(RUSAGE_SELF.rawValue, &usage)
  say("\(usage.ru_maxrss)")
  await processGuard.shutdown()
}

/// Writes a line at once, whatever standard output is.
func say(_ line: String) {
  print(line)
  fflush(nil)
}
