internal import FuzzSupport
internal import GridCore

@testable internal import GridLink

/// The ends of channels under any grants, items and ends: nothing beyond the credit leaves, nothing is lost or comes in
/// another order, and a writer that keeps to no rule fills no memory.
let channelTarget = FuzzTarget("channels") { bytes in
  var input = FuzzBytes(bytes)
  if input.flag() { try playReader(&input) } else { try playChannels(&input) }
}

/// A reading end whose writer sends what it likes.
private func playReader(_ input: inout FuzzBytes) throws {
  let window = max(1, input.number())
  var inbox = ChannelInbox(window: window)
  var waiting = 0
  var granted = window
  // What comes behind the end is not taken in.
  var isOver = false
  var steps = 0
  while !input.isEmpty, steps < 2000 {
    steps += 1
    switch input.choice(6) {
    case 0, 1, 2:
      let part = [UInt8](repeating: 7, count: input.number() * (input.flag() ? 1 : 16))
      switch inbox.received(part, hasMore: input.flag()) {
      case .violation: return
      case .grant(let bytes): granted += bytes
      case .nothing: break
      }
      guard !isOver else { continue }
      waiting += part.count
      granted -= ChannelLimits.cost(part)
    case 3:
      inbox.answered(input.piece())
      isOver = true
    case 4:
      inbox.end(input.flag() ? nil : GridError(.failed, "over"))
      isOver = true
    default:
      let isReady = inbox.isReady
      let step = inbox.next()
      try promise(isReady == (step != .wait), "an inbox is not what it says to be")
      guard case .item(let item, let grant) = step else { continue }
      waiting = max(0, waiting - item.count)
      granted += grant
    }
    try promise(granted <= window, "more was granted than the window has")
    try promise(
      waiting <= window + ChannelLimits.partBytes + ChannelLimits.itemBytes, "\(waiting) bytes wait at a reader")
  }
}

/// One channel of several: what its writer has put in, and its reader has taken out.
private struct Ends {
  var inbox: ChannelInbox
  var written: [[UInt8]] = []
  var read = 0
  /// Granted by the reader, and not yet on its way.
  var owed = 0
  var isFinished = false
  var isClosed = false
}

/// Writers and readers that keep to the rules, a network between them that is as slow as the input says.
private func playChannels(_ input: inout FuzzBytes) throws {
  var outbox = ChannelOutbox()
  var ends: [UInt64: Ends] = [:]
  var steps = 0
  while !input.isEmpty, steps < 500 {
    steps += 1
    let number = UInt64(input.choice(4))
    switch input.choice(7) {
    case 0:
      guard ends[number] == nil else { continue }
      let window = max(1, input.number())
      outbox.open(number, credit: window)
      ends[number] = Ends(inbox: ChannelInbox(window: window))
    case 1, 2:
      let count = input.number() % 3000 * (input.flag() ? 1 : 16)
      let item = [UInt8](repeating: UInt8(truncatingIfNeeded: steps), count: count)
      if outbox.append(item, to: number, limit: ChannelLimits.sendBytes) == .queued {
        ends[number]?.written.append(item)
      }
    case 3:
      outbox.finish(number, input.flag() ? nil : GridError(.failed, "over"))
      ends[number]?.isFinished = true
    case 4:
      try promise(outbox.drop(number) == (ends[number].map { !$0.isClosed } ?? false), "a channel was lost")
      ends[number] = nil
    case 5: try take(number, &ends, &outbox)
    default: try deliver(outbox.round(1 + input.number()), &ends)
    }
    if ends[number]?.isClosed == true, ends[number]?.inbox.isReady == false { ends[number] = nil }
  }
  try drain(&ends, &outbox)
}

private func deliver(_ round: ChannelOutbox.Round, _ ends: inout [UInt64: Ends]) throws {
  for frame in round.frames {
    switch frame {
    case .data(let number, let part, let hasMore):
      switch ends[number]?.inbox.received(part, hasMore: hasMore) {
      case .violation(let error): throw BrokenPromise("the writer broke the rules: \(error)")
      case .grant(let bytes): ends[number]?.owed += bytes
      case .nothing, nil: break
      }
    case .close(let number, let error):
      ends[number]?.inbox.end(error)
      ends[number]?.isClosed = true
    default: throw BrokenPromise("\(frame) leaves an outbox")
    }
  }
}

private func take(_ number: UInt64, _ ends: inout [UInt64: Ends], _ outbox: inout ChannelOutbox) throws {
  guard var end = ends[number] else { return }
  defer { ends[number] = end }
  if end.owed > 0 { outbox.grant(number, bytes: end.owed) }
  end.owed = 0
  switch end.inbox.next() {
  case .item(let item, let grant):
    try promise(end.read < end.written.count && item == end.written[end.read], "an item is not the one that was sent")
    end.read += 1
    if grant > 0 { outbox.grant(number, bytes: grant) }
  case .wait: break
  case .ended:
    try promise(end.isFinished && end.read == end.written.count, "a channel ended before its last item")
  }
}

/// Everything that waits comes through once all goes on.
private func drain(_ ends: inout [UInt64: Ends], _ outbox: inout ChannelOutbox) throws {
  for number in ends.keys { outbox.finish(number, nil) }
  for number in ends.keys { ends[number]?.isFinished = true }
  for _ in 0..<100_000 {
    try deliver(outbox.round(), &ends)
    let waiting = ends.filter { $0.value.inbox.isReady || $0.value.owed > 0 || !$0.value.isClosed }
    guard !waiting.isEmpty, waiting.contains(where: { !$0.value.isClosed || $0.value.read < $0.value.written.count })
    else { return }
    for number in waiting.keys { try take(number, &ends, &outbox) }
  }
  throw BrokenPromise("channels do not come to their end")
}
