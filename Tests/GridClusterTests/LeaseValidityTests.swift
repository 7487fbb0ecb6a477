internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridCluster

@Suite("Validity of a lease", .timeLimit(.minutes(5)))
struct LeaseValidityTests {
  private static func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

  @Test("ownership lasts nine tenths of the lease, counted from when the renewal was sent")
  func margin() {
    let ownership = Ownership()
    let validity = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in }
    #expect(!ownership.isValid(at: Self.time(100)))
    validity.leaseRenewed(sentAt: Self.time(100))
    #expect(ownership.isValid(at: Self.time(108)))
    #expect(!ownership.isValid(at: Self.time(109)))
    #expect(ownership.remaining(at: Self.time(102)) == .seconds(7))
    #expect(ownership.remaining(at: Self.time(200)) == .zero)
  }

  @Test("acknowledgements out of order never shorten ownership")
  func outOfOrder() {
    let ownership = Ownership()
    let validity = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in }
    for sent in [100, 103, 101, 102, 99] { validity.leaseRenewed(sentAt: Self.time(Int64(sent))) }
    #expect(ownership.isValid(at: Self.time(111)))
    #expect(!ownership.isValid(at: Self.time(112)))
  }

  @Test("a loss is told once, and not at all after the lease was given back")
  func lossIsToldOnce() {
    let losses = Mutex(0)
    let ownership = Ownership()
    let lost = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in losses.withLock { $0 += 1 } }
    lost.leaseRenewed(sentAt: Self.time(100))
    lost.leaseLost(GridError(.leaseLost, ""))
    lost.leaseLost(GridError(.leaseLost, ""))
    #expect(losses.withLock { $0 } == 1)
    #expect(!ownership.isValid(at: Self.time(101)))
    let given = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in losses.withLock { $0 += 1 } }
    #expect(given.invalidate())
    #expect(!given.invalidate())
    given.leaseLost(GridError(.leaseLost, ""))
    #expect(losses.withLock { $0 } == 1)
    #expect(given.hasEnded)
  }

  @Test("a lease that ended does not end the ownership of the one after it")
  func oldLease() {
    let ownership = Ownership()
    let old = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in }
    old.leaseRenewed(sentAt: Self.time(100))
    old.leaseLost(GridError(.leaseLost, ""))
    let new = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in }
    new.leaseRenewed(sentAt: Self.time(101))
    old.leaseRenewed(sentAt: Self.time(500))
    old.leaseLost(GridError(.leaseLost, ""))
    #expect(ownership.isValid(at: Self.time(102)))
    #expect(!ownership.isValid(at: Self.time(111)))
  }

  @Test("a renewal that races an end never brings ownership back")
  func race() async {
    for round in 0..<3000 {
      let ownership = Ownership()
      let validity = LeaseValidity(ownership, timeToLive: .seconds(10)) { _ in }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { for step in 0..<20 { validity.leaseRenewed(sentAt: Self.time(100 + Int64(step))) } }
        group.addTask {
          if round.isMultiple(of: 2) { validity.invalidate() } else { validity.leaseLost(GridError(.leaseLost, "")) }
          #expect(!ownership.isValid(at: Self.time(100)))
        }
      }
      #expect(!ownership.isValid(at: Self.time(100)))
    }
  }
}
