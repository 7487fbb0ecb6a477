internal import GridCore
internal import Testing

@testable internal import GridLink

/// Two ends and the wire between them, from a seed: whatever the windows, the items, and who is slow, what is taken is
/// what was sent, in order, and what waits is bounded; a channel ends once, also when the wire is cut.
@Suite struct ChannelSimulationTests {
  private struct Reading {
    var inbox: ChannelInbox
    var window: Int
    var taken: [[UInt8]] = []
    var ends = 0
    var isGivenUp = false
  }

  private struct World {
    var random: SeededGenerator
    var outbox = ChannelOutbox()
    var toReader: [LinkFrame] = []
    var toWriter: [LinkFrame] = []
    var sent: [UInt64: [[UInt8]]] = [:]
    var finished: Set<UInt64> = []
    var readings: [UInt64: Reading] = [:]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }
  }

  @Test(arguments: 0..<200)
  func `what is taken is what was sent`(_ seed: Int) throws {
    var world = World(seed: UInt64(seed))
    let channels = 1...UInt64.random(in: 1...4, using: &world.random)
    for number in channels {
      let window = [1, 100, 5000, 262_144][Int.random(in: 0..<4, using: &world.random)]
      world.readings[number] = Reading(inbox: ChannelInbox(window: window), window: window)
      world.outbox.open(number, credit: window)
    }
    for _ in 0..<600 { try step(&world, Array(channels)) }
    let isCut = Bool.random(using: &world.random)
    if isCut {
      for number in channels { world.readings[number]?.inbox.end(GridError(.nodeLost, "cut")) }
    } else {
      for number in channels where !world.finished.contains(number) { finish(number, &world) }
    }
    // From here on everybody does what there is to do: nothing may be left waiting for something else.
    for _ in 0..<100_000 where !(try isQuiet(&world, Array(channels), delivers: !isCut)) {}
    for number in channels {
      let reading = try #require(world.readings[number])
      let sent = world.sent[number] ?? []
      if isCut || reading.isGivenUp {
        #expect(sent.starts(with: reading.taken), "seed \(seed), channel \(number)")
      } else {
        #expect(sent == reading.taken, "seed \(seed), channel \(number): \(sent.count), \(reading.taken.count)")
      }
      #expect(reading.ends == 1 || reading.isGivenUp, "seed \(seed), channel \(number)")
    }
    if !isCut { #expect(world.outbox.isEmpty, "seed \(seed)") }
  }

  private func step(_ world: inout World, _ channels: [UInt64]) throws {
    guard let number = channels.randomElement(using: &world.random) else { return }
    switch Int.random(in: 0..<20, using: &world.random) {
    case 0..<6: append(number, &world)
    case 6: if Int.random(in: 0..<40, using: &world.random) == 0 { finish(number, &world) }
    case 7: if Int.random(in: 0..<60, using: &world.random) == 0 { giveUp(number, &world) }
    case 8..<11: world.toReader += world.outbox.round(Int.random(in: 1...200_000, using: &world.random)).frames
    case 11..<15: try deliver(&world)
    case 15..<17: obey(&world)
    default: take(number, &world)
    }
    // Sent and not taken: in parts on the wire, whole at the reader, or granted ahead.
    var waiting: [UInt64: Int] = [:]
    for case .data(let number, let part, _) in world.toReader { waiting[number, default: 0] += part.count }
    for (number, bytes) in waiting {
      let most = (world.readings[number]?.window ?? 0) + ChannelLimits.partBytes
      if bytes > most { Issue.record("\(bytes) bytes of channel \(number) are under way, \(most) may be") }
    }
  }

  private func append(_ number: UInt64, _ world: inout World) {
    let sizes = [0, 1, 50, 3000, 70_000]
    let size = sizes[Int.random(in: 0..<sizes.count, using: &world.random)]
    let item = [UInt8](repeating: UInt8.random(in: 0...255, using: &world.random), count: size)
    if world.outbox.append(item, to: number, limit: ChannelLimits.sendBytes) == .queued {
      world.sent[number, default: []].append(item)
    }
  }

  private func finish(_ number: UInt64, _ world: inout World) {
    world.finished.insert(number)
    world.outbox.finish(number, nil)
  }

  private func giveUp(_ number: UInt64, _ world: inout World) {
    world.readings[number]?.isGivenUp = true
    world.readings[number]?.inbox.end(GridError(.cancelled, "given up"))
    world.toWriter.append(.cancel(number))
  }

  private func deliver(_ world: inout World) throws {
    guard !world.toReader.isEmpty else { return }
    switch world.toReader.removeFirst() {
    case .data(let number, let part, let hasMore):
      guard world.readings[number]?.isGivenUp == false else { return }
      switch world.readings[number]?.inbox.received(part, hasMore: hasMore) {
      case .grant(let bytes)?: world.toWriter.append(.grant(number, UInt64(bytes)))
      case .violation(let error)?: throw error
      default: break
      }
    case .close(let number, let error): world.readings[number]?.inbox.end(error)
    default: break
    }
  }

  private func obey(_ world: inout World) {
    guard !world.toWriter.isEmpty else { return }
    switch world.toWriter.removeFirst() {
    case .grant(let number, let bytes): world.outbox.grant(number, bytes: Int(bytes))
    case .cancel(let number): _ = world.outbox.drop(number)
    default: break
    }
  }

  private func take(_ number: UInt64, _ world: inout World) {
    guard world.readings[number]?.ends == 0 else { return }
    switch world.readings[number]?.inbox.next() {
    case .item(let item, let grant)?:
      world.readings[number]?.taken.append(item)
      if grant > 0 { world.toWriter.append(.grant(number, UInt64(grant))) }
    case .ended?: world.readings[number]?.ends += 1
    default: break
    }
  }

  /// Does everything that can be done once; whether nothing was left to do.
  private func isQuiet(_ world: inout World, _ channels: [UInt64], delivers: Bool) throws -> Bool {
    let hadWork = world.outbox.isReady || !world.toReader.isEmpty || !world.toWriter.isEmpty
    world.toReader += world.outbox.round().frames
    while delivers, !world.toReader.isEmpty { try deliver(&world) }
    if !delivers { world.toReader = [] }
    while !world.toWriter.isEmpty { obey(&world) }
    let before = channels.map { (world.readings[$0]?.taken.count ?? 0) + (world.readings[$0]?.ends ?? 0) }
    for number in channels { take(number, &world) }
    let after = channels.map { (world.readings[$0]?.taken.count ?? 0) + (world.readings[$0]?.ends ?? 0) }
    return !hadWork && before == after && !world.outbox.isReady && world.toWriter.isEmpty
  }
}
