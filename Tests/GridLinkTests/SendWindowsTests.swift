internal import GridCore
internal import Testing

@testable internal import GridLink

/// How much is under way to each target, message by message.
@Suite struct SendWindowsTests {
  private static let window = SendWindows.bytesPerTarget

  /// - Parameter cost: what it is charged with.
  private func envelope(_ target: String, cost: Int, _ type: String = "") -> Envelope {
    Envelope(target: target, message: Message(body: [UInt8](repeating: 0, count: max(0, cost - 64)), type: type))
  }

  @Test func `a window takes what it holds, and one message however large`() {
    var windows = SendWindows()
    #expect(windows.admit(envelope("a", cost: 3 * Self.window)) == .send)
    #expect(!windows.isOpen("a") && windows.isOpen("b"))
    #expect(windows.admit(envelope("a", cost: 64)) == .parked)
    #expect(windows.parkedBytes == 64)
    // Another target's window is its own.
    #expect(windows.admit(envelope("b", cost: Self.window)) == .send)
    #expect(windows.admit(envelope("b", cost: 64)) == .parked)
    #expect(windows.credit("a", bytes: 3 * Self.window).count == 1)
    #expect(windows.isOpen("a") && !windows.isOpen("b"))
    #expect(windows.parkedBytes == 64)
  }

  @Test func `what is parked goes in order, as far as the credit reaches`() {
    var windows = SendWindows()
    let half = Self.window / 2
    for _ in 0..<2 { #expect(windows.admit(envelope("a", cost: half)) == .send) }
    for number in 1...3 { #expect(windows.admit(envelope("a", cost: half, "\(number)")) == .parked) }
    // A small one does not overtake.
    #expect(windows.admit(envelope("a", cost: 64, "4")) == .parked)
    #expect(windows.credit("a", bytes: half).map(\.message.type) == ["1"])
    #expect(windows.credit("a", bytes: half - 1).map(\.message.type) == [])
    #expect(windows.credit("a", bytes: 1).map(\.message.type) == ["2"])
    #expect(windows.credit("a", bytes: Self.window).map(\.message.type) == ["3", "4"])
    #expect(windows.parkedBytes == 0)
  }

  @Test func `a sender that keeps within the window goes over its edge once`() {
    var windows = SendWindows()
    #expect(windows.admitIfOpen(envelope("a", cost: Self.window - 1)) == true)
    #expect(windows.isOpen("a"))
    #expect(windows.admitIfOpen(envelope("a", cost: 5000)) == true)
    #expect(!windows.isOpen("a"))
    #expect(windows.admitIfOpen(envelope("a", cost: 64)) == false)
    #expect(windows.credit("a", bytes: 5000).isEmpty)
    #expect(windows.isOpen("a"))
    // Nor past others that are parked.
    #expect(windows.admit(envelope("a", cost: Self.window)) == .parked)
    #expect(windows.admitIfOpen(envelope("a", cost: 64)) == false)
  }

  @Test func `more than a link may park is refused`() {
    var windows = SendWindows()
    for target in 0..<5 { #expect(windows.admit(envelope("\(target)", cost: Self.window)) == .send) }
    let piece = 16 * 1024 * 1024
    for target in 0..<4 { #expect(windows.admit(envelope("\(target)", cost: piece)) == .parked) }
    #expect(windows.parkedBytes == SendWindows.maximumParkedBytes)
    #expect(windows.admit(envelope("4", cost: 64)) == .full)
    // What is refused is charged to nobody.
    #expect(windows.credit("4", bytes: Self.window).isEmpty)
    #expect(windows.admit(envelope("4", cost: Self.window)) == .send)
    #expect(windows.takeParked().count == 4)
    #expect(windows.parkedBytes == 0 && windows.isOpen("0"))
  }

  @Test(arguments: [0, 1, .max] as [Int])
  func `credit that nobody was charged opens nothing further`(_ bytes: Int) {
    var windows = SendWindows()
    #expect(windows.credit("a", bytes: bytes).isEmpty)
    #expect(windows.admit(envelope("a", cost: Self.window)) == .send)
    #expect(windows.admit(envelope("a", cost: 64)) == .parked)
  }

  /// Against a model with a list of what is under way and what is parked for each target.
  @Test(arguments: 0..<30)
  func `every message goes once, and in order`(_ seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var windows = SendWindows()
    var sent: [String: [Int]] = [:]
    var underWay: [String: [Int]] = [:]
    var (refused, number) = (Set<Int>(), 0)
    func go(_ envelope: Envelope) {
      sent[envelope.target, default: []].append(Int(envelope.message.type) ?? -1)
      underWay[envelope.target, default: []].append(envelope.message.cost)
    }
    for _ in 0..<600 {
      let target = ["a", "b", "c"][Int.random(in: 0..<3, using: &generator)]
      if Int.random(in: 0..<3, using: &generator) > 0 {
        number += 1
        let message = envelope(target, cost: Int.random(in: 64...(Self.window / 2), using: &generator), "\(number)")
        switch windows.admit(message) {
        case .send: go(message)
        case .parked: #expect(!windows.isOpen(target))
        case .full: refused.insert(number)
        }
      } else if let cost = underWay[target]?.first {
        underWay[target]?.removeFirst()
        for released in windows.credit(target, bytes: cost) { go(released) }
      }
      for (_, costs) in underWay { #expect(costs.reduce(0, +) <= Self.window) }
      #expect(windows.parkedBytes <= SendWindows.maximumParkedBytes)
    }
    for released in windows.takeParked() { go(released) }
    for (_, numbers) in sent { #expect(numbers == numbers.sorted(), "seed \(seed)") }
    #expect(Set(sent.values.joined()).union(refused) == Set(1..<(number + 1)))
    #expect(sent.values.joined().count + refused.count == number)
  }
}

@Suite struct CreditLedgerTests {
  @Test func `credit is summed by target until it is taken`() {
    var ledger = CreditLedger()
    #expect(ledger.isEmpty && ledger.takeAll().isEmpty)
    for (target, bytes) in [("a", 1), ("a", 2), ("b", 4), ("a", 8), ("c", 16), ("b", 32)] {
      ledger.add(target, bytes: bytes)
    }
    #expect(!ledger.isEmpty)
    let owed = Dictionary(ledger.takeAll().map { ($0.target, $0.bytes) }, uniquingKeysWith: +)
    #expect(owed == ["a": 11, "b": 36, "c": 16])
    #expect(ledger.isEmpty)
  }
}
