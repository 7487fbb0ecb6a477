/// A signal a child can be sent.
package enum ProcessSignal: Int32, Sendable {
  case hangUp = 1
  case interrupt = 2
  case quit = 3
  case kill = 9
  case firstUserDefined = 10
  case secondUserDefined = 12
  case terminate = 15
  case resume = 18
}

/// A running child as its guard knows it.
struct ProcessHandle: Sendable {
  let connection: GuardConnection
  let identifier: UInt32
  let processIdentifier: Int32
  let exit: ExitLatch

  func signal(_ signal: ProcessSignal) { connection.signal(identifier, signal) }
}
