internal import Glibc
internal import GridConcurrency
internal import Synchronization

/// Standard input line by line, read on a thread of its own.
///
/// At most ``capacity`` lines wait; then the thread does, and with it whoever writes.
final class InputLines: Sendable {
  static let capacity = 64
  /// A longer line is cut into pieces, in bytes.
  private static let maximumLine = 1024 * 1024

  private struct State {
    var lines: [String] = []
    var isAtEnd = false
    var isStarted = false
  }

  private let state = Mutex(State())
  private let arrived = Signal<Void>()
  private let room = Places(InputLines.capacity)

  /// The next line without its end; nil at the end, or when the task is cancelled.
  func next() async -> String? {
    start()
    while !Task.isCancelled {
      let (line, isAtEnd) = state.withLock { state -> (String?, Bool) in
        state.lines.isEmpty ? (nil, state.isAtEnd) : (state.lines.removeFirst(), false)
      }
      if let line {
        room.give()
        return line
      }
      if isAtEnd { return nil }
      await arrived.wait()
    }
    return nil
  }

  private func start() {
    let isFirst = state.withLock { state in
      defer { state.isStarted = true }
      return !state.isStarted
    }
    guard isFirst else { return }
    let box = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<InputLines>.fromOpaque(argument).takeRetainedValue().read() }
        return nil
      }, box.toOpaque())
    if result == 0 {
      pthread_detach(thread)
    } else {
      box.release()
      finish()
    }
  }

  private func read() {
    var rest: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(0, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest += chunk[..<count]
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: 0x0A) {
        add(rest[start..<end])
        start = end + 1
      }
      rest.removeSubrange(..<start)
      if rest.count > Self.maximumLine {
        add(rest[...])
        rest = []
      }
    }
    if !rest.isEmpty { add(rest[...]) }
    finish()
  }

  private func add(_ bytes: ArraySlice<UInt8>) {
    room.take()
    state.withLock { $0.lines.append(String(decoding: bytes, as: UTF8.self)) }
    arrived.raise()
  }

  private func finish() {
    state.withLock { $0.isAtEnd = true }
    arrived.raise()
  }
}

/// Places that a thread waits for: a semaphore of the machine.
private final class Places: @unchecked Sendable {  // sem_t is made for many threads, and never moves
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init(_ places: Int) { sem_init(semaphore, 0, UInt32(places)) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Takes a place, and waits for one on the calling thread: never in a task.
  func take() {
    while sem_wait(semaphore) != 0, errno == EINTR {}
  }

  func give() { sem_post(semaphore) }
}
